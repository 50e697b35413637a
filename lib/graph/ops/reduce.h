#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// Over `axes` (not negative, ascending); they stay as 1, or go.
struct Reduce {
  enum class Function { mean, max, sum };

  Function function = Function::mean;
  std::vector<int64_t> axes;
  bool keep = true;

  const char* name() const;
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

// [N, C, H, W] -> [N, C, 1, 1].
inline Reduce global_average_pool() { return {Reduce::Function::mean, {2, 3}, true}; }

}  // namespace nestling
