#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// The channels of each place by their own mean and variance. inputs: x [N, C, ...]. Scales and
// shifts are operators of their own. Files write it as a layer norm of the last axis, between
// transposes.
struct ChannelNorm {
  float epsilon = 1e-5F;

  const char* name() const { return "LayerNormalization"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
