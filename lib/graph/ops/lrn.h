#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// Across channels: y = x / (bias + alpha / size * the squares of `size` channels around)^beta.
struct Lrn {
  int64_t size = 1;
  float alpha = 1e-4F;
  float beta = 0.75F;
  float bias = 1;

  const char* name() const { return "LRN"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
