#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// [N, C, H, W] -> [N, C / block^2, H block, W block].
struct DepthToSpace {
  int64_t block = 1;
  bool column_row_depth = false;  // channels are [C, block, block] in place of [block, block, C]

  const char* name() const { return "DepthToSpace"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
