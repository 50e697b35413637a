#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// The channel shuffle of ShuffleNet: channels [groups, C / groups] become [C / groups, groups].
// Files write it as Reshape, Transpose, Reshape.
struct Shuffle {
  int64_t groups = 1;

  const char* name() const { return "Shuffle"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
