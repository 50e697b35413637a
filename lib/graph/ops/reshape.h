#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// The same elements in another shape. 0 stands for the size of the input at the same place, -1 (at
// most once) for what remains, so that a graph may be cut without touching the reshape.
struct Reshape {
  Shape to;

  const char* name() const { return "Reshape"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

// [N, ...] -> [N, product].
inline Reshape flatten() { return {{0, -1}}; }

}  // namespace nestling
