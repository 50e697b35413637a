// Tensors and shapes: what constants are made of and operators compute.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace nestling {

using Shape = std::vector<int64_t>;

// The size of a symbolic batch dimension (always dimension 0 of an activation).
inline constexpr int64_t kBatch = -1;

// A dense float32 tensor, row-major. data.size() is the product of shape.
struct Tensor {
  Shape shape;
  std::vector<float> data;

  bool operator==(const Tensor&) const = default;
};

// The product of the dimensions, 1 for a scalar; kBatch counts as 1. Throws Error if another
// dimension is negative or the product is over 2^40.
int64_t element_count(const Shape& shape);

// Two-dimensional windows: {height, width}.
using Extent = std::array<int64_t, 2>;
// {top, left, bottom, right}, as ONNX orders them.
using Padding = std::array<int64_t, 4>;

}  // namespace nestling
