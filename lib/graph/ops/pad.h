#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// `before` and `after` elements are added along every axis, or cut off where they are negative.
struct Pad {
  enum class Mode { constant, reflect, edge };

  std::vector<int64_t> before;
  std::vector<int64_t> after;
  Mode mode = Mode::constant;
  float value = 0;

  const char* name() const { return "Pad"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
