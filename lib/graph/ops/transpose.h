#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// Axis i of the output is axis order[i] of the input.
struct Transpose {
  std::vector<int64_t> order;

  const char* name() const { return "Transpose"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
