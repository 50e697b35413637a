#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// x [N, C, H, W].
struct AveragePool {
  Extent kernel{1, 1};
  Extent stride{1, 1};
  Padding padding{};
  bool ceil = false;           // a window that starts inside but ends outside counts
  bool count_padding = false;  // divide by the elements of the window, padding included

  const char* name() const { return "AveragePool"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
