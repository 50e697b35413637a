#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// Each channel of each image by its own mean and variance. inputs: x [N, C, ...], scale [C],
// shift [C].
struct InstanceNorm {
  float epsilon = 1e-5F;

  const char* name() const { return "InstanceNormalization"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
