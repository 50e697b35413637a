// The arithmetic: one function an op, on activations [height, width, channels], compiled for every
// instruction set that the compiler knows and chosen when the program starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/package_format.h"

namespace nestling::runtime {

// Bytes that a kernel may read, and ignore, behind the last element of an activation.
inline constexpr size_t kSlack = 64;

struct Activation {
  float* data = nullptr;
  size_t height = 0, width = 0, channels = 0;
};

// A block of weights (package_format.h): the input channels from `x_offset` on, `length` of them,
// meet every panel of a range.
struct ConvPiece {
  const float* weights;
  size_t x_offset;
  size_t length;
};

// Output channels that one capacity added: `channels` of them from `y_offset` on. scale and shift
// hold panels * kPanel floats.
struct ConvRange {
  size_t y_offset;
  size_t channels;
  size_t panels;
  std::vector<ConvPiece> pieces;
  const float* scale;
  const float* shift;
};

// y = clamp((x * weights) * scale + shift).
struct ConvTask {
  const NodeSpec* node;
  Activation x, y;
  std::vector<ConvRange> ranges;
  const float* zeros;  // as many as x has channels, and kSlack: what padding reads
};

// Computes the output pixels first..last - 1 of y in row-major order. Different pixels may be
// computed by different threads at once.
void conv(const ConvTask& task, size_t first, size_t last);
void depthwise(const ConvTask& task, size_t first, size_t last);
void affine(const ConvTask& task, size_t first, size_t last);

// How many pixels conv computes together: parts of the work should be multiples of it.
size_t conv_tile();

// Plain loops, which the compiler vectorises.
void max_pool(const NodeSpec& node, const Activation& x, const Activation& y, size_t first,
              size_t last);
void average_pool(const NodeSpec& node, const Activation& x, const Activation& y, size_t first,
                  size_t last);
void add(const NodeSpec& node, const Activation& a, const Activation& b, const Activation& y);
void clamp(const NodeSpec& node, const Activation& x, const Activation& y);
void softmax(const Activation& x, const Activation& y);

// The name of the instruction set in use, such as "AVX2".
const char* simd_name();

}  // namespace nestling::runtime
