// numbers: {0 constant, 1 reflect or 2 edge, {before, after} for every axis}, of which negative
// ones cut off; reals: {the constant}.
#include <algorithm>

#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

constexpr int64_t kConstant = 0, kReflect = 1, kEdge = 2;

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (in.size() != 1 || in[0].size() != out.size() || node.reals.size() != 1 ||
      node.numbers.size() != 2 * out.size() + 1 || node.numbers[0] < kConstant ||
      node.numbers[0] > kEdge) {
    return "a padding does not fit";
  }
  for (size_t axis = 0; axis < out.size(); ++axis) {
    const int64_t before = node.numbers[2 * axis + 1], after = node.numbers[2 * axis + 2];
    const int64_t size = in[0][axis], most = node.numbers[0] == kReflect ? size - 1 : 1 << 20;
    if (before > most || after > most || before < -size || after < -size ||
        size + before + after != out[axis]) {
      return "a padding does not fit";
    }
  }
  return nullptr;
}

// Each axis has three parts: before, inside and after x. What lies inside all axes is a copy, what
// does not is one too: of x mirrored, of its edge, or of the constant.
std::optional<std::vector<Move>> moves(const Step& step) {
  const Tensor &x = step.inputs[0], &y = step.y;
  const int64_t mode = step.node->numbers[0];
  // Zeros lie where a GPU has them too. Views are written through, but not this one.
  const float* value = step.node->reals.data();
  auto* const constant = const_cast<float*>(*value == 0 ? step.zeros : value);
  std::vector<Move> all{{View(x.data), View(y.data)}};
  for (size_t axis = 0; axis < y.shape.size(); ++axis) {
    const int64_t before = step.node->numbers[2 * axis + 1];
    const int64_t size = x.shape[axis], wide = y.shape[axis];
    const auto x_stride = static_cast<std::ptrdiff_t>(x.strides[axis]);
    const auto y_stride = static_cast<std::ptrdiff_t>(y.strides[axis]);
    const int64_t begin = std::clamp<int64_t>(before, 0, wide);
    const int64_t end = std::clamp<int64_t>(before + size, begin, wide);
    std::vector<Move> longer;
    // Places first..last - 1 of y, from the element of x at `from` on.
    const auto add = [&](int64_t first, int64_t last, int64_t from, std::ptrdiff_t by) {
      if (first == last) return;
      for (Move move : all) {
        const bool outside = mode == kConstant && (by == 0 || move.from.data == constant);
        if (outside) {
          move.from.data = constant;
          for (std::ptrdiff_t& stride : move.from.strides) stride = 0;
        } else {
          move.from.data += from * x_stride;
        }
        move.from.add(static_cast<size_t>(last - first), outside ? 0 : by * x_stride);
        move.to.data += first * y_stride;
        move.to.add(static_cast<size_t>(last - first), y_stride);
        longer.push_back(std::move(move));
      }
    };
    const bool mirrors = mode == kReflect;
    add(0, begin, mirrors ? before : 0, mirrors ? -1 : 0);
    add(begin, end, begin - before, 1);
    add(end, wide, mirrors ? 2 * (size - 1) - (end - before) : size - 1, mirrors ? -1 : 0);
    all = std::move(longer);
  }
  return all;
}

}  // namespace

extern const Operator op_pad = {"pad", Weights::none, check, run_moves, {}, moves};

}  // namespace nestling::runtime
