#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// [N, C, H, W] -> [N, C, size], as ONNX defines it. Which place of x an output row sees is
// `coordinates`; what is read there is the nearest element or a linear mix of two a direction.
struct Resize {
  enum class Mode { nearest, linear };
  enum class Coordinates {
    half_pixel,
    pytorch_half_pixel,
    align_corners,
    asymmetric,
    tf_half_pixel_for_nn
  };
  enum class Nearest { round_prefer_floor, round_prefer_ceil, floor, ceil };

  Extent size{1, 1};
  // Output over input, where the file gives it: not always the quotient of the sizes.
  std::array<float, 2> scale{1, 1};
  Mode mode = Mode::nearest;
  Coordinates coordinates = Coordinates::half_pixel;
  Nearest nearest = Nearest::round_prefer_floor;

  // The elements of x that output index `at` mixes along one direction (0: rows, 1: columns):
  // (1 - part) x[low] + part x[high].
  struct Taps {
    int64_t low, high;
    float part;
  };
  Taps taps(size_t direction, int64_t in, int64_t at) const;

  const char* name() const { return "Resize"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
