#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// x [N, C, H, W]. Padding counts as minus infinity.
struct MaxPool {
  Extent kernel{1, 1};
  Extent stride{1, 1};
  Extent dilation{1, 1};
  Padding padding{};
  bool ceil = false;  // a window that starts inside but ends outside counts

  const char* name() const { return "MaxPool"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
