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
// does not is one too: of x mirrored, of its edge, or of the constant. `from` and `to` are of the
// axes before this one.
void pad_from(const Step& step, size_t axis, const View& from, const View& to, const Moves& moves) {
  const Tensor &x = step.inputs[0], &y = step.y;
  if (axis == y.shape.size()) return moves.add(from, to);
  const NodeSpec& node = *step.node;
  const int64_t mode = node.numbers[0], before = node.numbers[2 * axis + 1];
  const int64_t size = x.shape[axis], wide = y.shape[axis];
  // Zeros lie where a GPU has them too. Views are written through, but not this one.
  auto* const constant = const_cast<float*>(node.reals[0] == 0 ? step.zeros : node.reals.data());
  // Places first..last - 1 of y, from the element of x at `at` on.
  const auto add = [&](int64_t first, int64_t last, int64_t at, std::ptrdiff_t by) {
    if (first == last) return;
    View next_from = from, next_to = to;
    const bool outside = mode == kConstant && (by == 0 || from.data == constant);
    if (outside) {
      next_from.data = constant;
      for (std::ptrdiff_t& stride : next_from.strides) stride = 0;
      by = 0;
    } else {
      next_from.data += at * static_cast<std::ptrdiff_t>(x.strides[axis]);
    }
    next_from.add(static_cast<size_t>(last - first),
                  by * static_cast<std::ptrdiff_t>(x.strides[axis]));
    const auto stride = static_cast<std::ptrdiff_t>(y.strides[axis]);
    next_to.data += first * stride;
    next_to.add(static_cast<size_t>(last - first), stride);
    pad_from(step, axis + 1, next_from, next_to, moves);
  };
  const int64_t begin = std::clamp<int64_t>(before, 0, wide);
  const int64_t end = std::clamp<int64_t>(before + size, begin, wide);
  const bool mirrors = mode == kReflect;
  add(0, begin, mirrors ? before : 0, mirrors ? -1 : 0);
  add(begin, end, begin - before, 1);
  add(end, wide, mirrors ? 2 * (size - 1) - (end - before) : size - 1, mirrors ? -1 : 0);
}

bool moves(const Step& step, const Moves& moves) {
  pad_from(step, 0, View(step.inputs[0].data), View(step.y.data), moves);
  return true;
}

}  // namespace

extern const Operator op_pad = {"pad", Weights::none, check, run_moves, {}, moves};

}  // namespace nestling::runtime
