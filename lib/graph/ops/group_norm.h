#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// Each group of `size` channels, which lie side by side, of each image by its own mean and
// variance. inputs: x [N, C, ...]. Scales and shifts are operators of their own. Most files write
// it as Reshape, InstanceNormalization, Reshape.
struct GroupNorm {
  int64_t size = 1;
  float epsilon = 1e-5F;

  const char* name() const { return "GroupNormalization"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
