#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// inputs: x [N, C, H, W], weight [M, C / groups, kernel], optional bias [M]. How many groups there
// are follows from the shapes; as many as C make a depthwise convolution.
struct Conv {
  Extent kernel{1, 1};
  Extent stride{1, 1};
  Extent dilation{1, 1};
  Padding padding{};

  static int64_t groups(const Shape& x, const Shape& weight) { return x[1] / weight[1]; }

  // Whether each channel has one filter of its own.
  static bool is_depthwise(const Shape& x, const Shape& weight) {
    return x[1] > 1 && weight[1] == 1 && weight[0] == x[1];
  }

  const char* name() const { return "Conv"; }
  Shape shape(const Inputs& in) const;
  int64_t macs(const Inputs& in, const Shape& output) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
