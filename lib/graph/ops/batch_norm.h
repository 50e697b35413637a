#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// inputs: x [N, C, ...], scale [C], shift [C], mean [C], variance [C].
struct BatchNorm {
  float epsilon = 1e-5F;

  const char* name() const { return "BatchNormalization"; }
  Shape shape(const Inputs& in) const;
  size_t parameters() const { return 3; }  // mean and variance are statistics
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
