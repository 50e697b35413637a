#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// The product of two batches of matrices [..., N, K] and [..., K, M], as numpy.matmul.
struct MatMul {
  const char* name() const { return "MatMul"; }
  Shape shape(const Inputs& in) const;
  int64_t macs(const Inputs& in, const Shape& output) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
