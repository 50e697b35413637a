// The index of the largest element. numbers: {axis, 1 if it stays as 1, 1 for the last of several}.
#include "runtime/along.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (in.size() != 1 || node.numbers.size() != 3 ||
      static_cast<uint64_t>(node.numbers[0]) >= in[0].size()) {
    return "an ArgMax has an axis that is not there";
  }
  Shape expected = in[0];
  if (node.numbers[1] != 0) {
    expected[static_cast<size_t>(node.numbers[0])] = 1;
  } else {
    expected.erase(expected.begin() + node.numbers[0]);
  }
  return expected == out ? nullptr : "an ArgMax does not fit";
}

void run(const Step& step, const ThreadPool&) {
  const Tensor& x = step.inputs[0];
  const auto axis = static_cast<size_t>(step.node->numbers[0]);
  const bool keep = step.node->numbers[1] != 0, last = step.node->numbers[2] != 0;
  View to(step.y.data);
  for (size_t i = 0, k = 0; i < x.shape.size(); ++i) {
    const bool gone = i == axis;
    to.add(gone ? 1 : x.shape[i], gone ? 0 : static_cast<std::ptrdiff_t>(step.y.strides[k]));
    k += gone && !keep ? 0 : 1;
  }
  const size_t count = x.shape[axis], stride = x.strides[axis];
  for_each_line(View(x), to, axis, [&](const float* from, float* y) {
    size_t best = 0;
    for (size_t i = 1; i < count; ++i) {
      const float v = from[i * stride], highest = from[best * stride];
      if (v > highest || (last && v == highest)) best = i;
    }
    *y = static_cast<float>(best);
  });
}

}  // namespace

extern const Operator op_arg_max = {"arg_max", Weights::none, check, run};

}  // namespace nestling::runtime
