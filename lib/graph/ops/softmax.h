#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// Over one axis.
struct Softmax {
  int64_t axis = 1;
  bool log = false;  // the logarithm of it

  const char* name() const;
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
