#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// [N, C, H, W] -> [N, C block^2, H / block, W / block].
struct SpaceToDepth {
  int64_t block = 1;

  const char* name() const { return "SpaceToDepth"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
