#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// inputs: one or more, equal but along the axis along which they are joined.
struct Concat {
  int64_t axis = 1;

  const char* name() const { return "Concat"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
