#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// y = x weight^T + bias. inputs: x [..., K], weight [M, K], optional bias [M].
struct Gemm {
  const char* name() const { return "Gemm"; }
  Shape shape(const Inputs& in) const;
  int64_t macs(const Inputs& in, const Shape& output) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
