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

// Element by element along all axes but the innermost in memory.
void run(const Step& step, const ThreadPool&) {
  const Tensor &x = step.inputs[0], &y = step.y;
  const size_t rank = y.shape.size();
  const int64_t mode = step.node->numbers[0];
  std::vector<int64_t> index(rank, 0);
  const size_t elements = y.elements();
  for (size_t i = 0; i < elements; ++i) {
    size_t to = 0, from = 0;
    bool inside = true;
    for (size_t axis = 0; axis < rank; ++axis) {
      to += static_cast<size_t>(index[axis]) * y.strides[axis];
      const int64_t size = x.shape[axis];
      int64_t at = index[axis] - step.node->numbers[2 * axis + 1];
      inside = inside && at >= 0 && at < size;
      if (mode == kReflect) at = at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
      from += static_cast<size_t>(std::clamp<int64_t>(at, 0, size - 1)) * x.strides[axis];
    }
    y.data[to] = mode == kConstant && !inside ? step.node->reals[0] : x.data[from];
    for (size_t axis = rank; axis > 0; --axis) {
      if (++index[axis - 1] < static_cast<int64_t>(y.shape[axis - 1])) break;
      index[axis - 1] = 0;
    }
  }
}

}  // namespace

extern const Operator op_pad = {"pad", Weights::none, check, run};

}  // namespace nestling::runtime
