#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// By the mean and variance over the axes from `axis` on. inputs: x, scale, optional shift, both
// broadcast to x.
struct LayerNorm {
  int64_t axis = -1;
  float epsilon = 1e-5F;

  const char* name() const { return "LayerNormalization"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
