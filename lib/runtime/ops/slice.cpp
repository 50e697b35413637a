// numbers: {start, step} for every axis; a negative step goes backwards.
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (in.size() != 1 || in[0].size() != out.size() || node.numbers.size() != 2 * out.size()) {
    return "a slice does not fit";
  }
  for (size_t axis = 0; axis < out.size(); ++axis) {
    const int64_t start = node.numbers[2 * axis], step = node.numbers[2 * axis + 1];
    const auto size = static_cast<int64_t>(in[0][axis]), count = static_cast<int64_t>(out[axis]);
    constexpr int64_t kMax = int64_t{1} << 30;
    if (start < 0 || start >= size || step > kMax || step < -kMax) return "a slice does not fit";
    const int64_t last = start + (count - 1) * step;
    if (last < 0 || last >= size) return "a slice does not fit";
  }
  return nullptr;
}

void run(const Step& step, const ThreadPool&) {
  const Tensor& x = step.inputs[0];
  View from(x.data);
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {
    const int64_t start = step.node->numbers[2 * axis], by = step.node->numbers[2 * axis + 1];
    from.data += static_cast<size_t>(start) * x.strides[axis];
    from.add(step.y.shape[axis], static_cast<std::ptrdiff_t>(x.strides[axis]) * by);
  }
  copy(from, View(step.y));
}

}  // namespace

extern const Operator op_slice = {"slice", Weights::none, check, run};

}  // namespace nestling::runtime
