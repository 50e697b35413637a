// Running one node in the scalar interpreter: one function an operator, in a file of its own. The
// formulas are those of https://github.com/onnx/onnx/blob/main/docs/Operators.md.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace nestling {

struct Step {
  std::vector<const Tensor*> inputs;
  Tensor& y;  // its shape is set, its data zero

  const Tensor& input(size_t i) const { return *inputs[i]; }
};

// Row-major strides of `shape`, aligned at the end with `rank` axes; 0 along axes that `shape` does
// not have, or has 1 of: its elements are broadcast.
std::vector<int64_t> broadcast_strides(const Shape& shape, size_t rank);
std::vector<int64_t> strides(const Shape& shape);

// For each element of a tensor of `shape` in turn: start + its indices times `strides`.
std::vector<size_t> places(const Shape& shape, const std::vector<int64_t>& strides,
                           int64_t start = 0);

// y[i] = x[from[i]].
void gather(const Tensor& x, const std::vector<size_t>& from, Tensor& y);

// The lengths before, along and after an axis: element (o, i, j) is at (o * along + i) * after + j.
struct Fold {
  size_t before, along, after;
};
Fold fold(const Shape& shape, size_t axis, size_t count = 1);

#define NESTLING_DECLARE(Op) void interpret(const Op& op, const Step& step);
NESTLING_FOR_EACH_OP(NESTLING_DECLARE)
#undef NESTLING_DECLARE

}  // namespace nestling
