#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// The index of the largest element along an axis, of several the first or the last.
struct ArgMax {
  int64_t axis = 0;
  bool keep = true;
  bool last = false;

  const char* name() const { return "ArgMax"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
