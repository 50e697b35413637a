#pragma once

#include <array>

#include "graph/ops/rules.h"

namespace nestling {

// Axis i of the output is axis order[i] of the input.
struct Transpose {
  std::vector<int64_t> order;

  const char* name() const { return "Transpose"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

// Of images: [N, C, H, W] to [N, H, W, C], and back.
inline constexpr std::array<int64_t, 4> kToChannelsLast{0, 2, 3, 1};
inline constexpr std::array<int64_t, 4> kToChannelsFirst{0, 3, 1, 2};

}  // namespace nestling
