// The arithmetic: layers on images [height, width, channels], compiled for every
// instruction set that the compiler knows and chosen when the program starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/bundle.h"
#include "runtime/tensor.h"

namespace nestling::runtime {

// y = clamp((x * weights) * scale + shift + addend, low, high).
struct ConvTask {
  const NodeSpec* node;
  float low, high;
  Image x, y;
  const float* addend;                 // as y lies; may be null
  const std::vector<Bundle>* bundles;  // of dense weights
  const float* channel_weights;        // of depthwise ones: [tap][channel_row]
  size_t channel_row;                  // at least padded_row(y's channels)
  const float *scale, *shift;          // padded_row(y's channels)
  const float* zeros;                  // as many as x has channels, and kSlack: what padding reads
};

// Some pixels of y, in row-major order, at most kConvTiles tiles of conv_tile() from a multiple of
// it on; of them some groups of channels.
inline constexpr size_t kConvTiles = 20;
struct ConvPart {
  size_t first_pixel, last_pixel;
  size_t first_group, last_group;
};
// Different parts may be computed by different threads at once, each with conv_scratch() floats of
// its own, aligned to a cache line.
void conv(const ConvTask& task, const ConvPart& part, float* scratch);
size_t conv_scratch(const ConvTask& task);  // needs the sizes of x and y, and the bundles' shapes
size_t conv_groups(const ConvTask& task);

// All weights of a bundle for a kernel of `taps` places, as Bundle::packed has them, and the floats
// that these are.
void pack_bundle(const Bundle& bundle, size_t taps, float* to);
size_t packed_floats(const Bundle& bundle, size_t taps);

// Computes the output pixels first..last - 1 of y in row-major order. Different pixels may be
// computed by different threads at once, each with conv_scratch() floats of its own. A depthwise
// convolution's lie from `y` on, which need not be where the task's y has them.
void depthwise(const ConvTask& task, size_t first, size_t last, float* y, float* scratch);
void affine(const ConvTask& task, size_t first, size_t last);

// How many pixels are computed together: parts of the work should be multiples of it.
size_t conv_tile();

// The name of the instruction set in use, such as "AVX2".
const char* simd_name();

}  // namespace nestling::runtime
