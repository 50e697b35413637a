#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// inputs: x [N, C, H, W], weight [C, M / groups, kernel], optional bias [M]. Each element of x adds
// itself times the kernel to a window of y; `padding` is what is cut off y's borders, and
// `output_padding` what is added at its bottom and right.
struct ConvTranspose {
  Extent kernel{1, 1};
  Extent stride{1, 1};
  Extent dilation{1, 1};
  Padding padding{};
  Extent output_padding{};
  int64_t groups = 1;

  const char* name() const { return "ConvTranspose"; }
  Shape shape(const Inputs& in) const;
  int64_t macs(const Inputs& in, const Shape& output) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
