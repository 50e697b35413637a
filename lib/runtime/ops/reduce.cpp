// numbers: {0 mean, 1 max or 2 sum, 1 if the axes stay as 1, axes...}, the axes ascending.
#include <algorithm>
#include <limits>

#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (in.size() != 1 || node.numbers.size() < 3 || node.numbers[0] < 0 || node.numbers[0] > 2) {
    return "a reduction lacks its axes";
  }
  Shape expected;
  size_t next = 2;
  for (size_t axis = 0; axis < in[0].size(); ++axis) {
    const bool reduced =
        next < node.numbers.size() && node.numbers[next] == static_cast<int64_t>(axis);
    if (!reduced) expected.push_back(in[0][axis]);
    if (reduced && node.numbers[1] != 0) expected.push_back(1);
    next += reduced ? 1 : 0;
  }
  if (next != node.numbers.size()) return "a reduction's axes are not those of its input";
  return expected == out ? nullptr : "a reduction does not fit";
}

void run(const Step& step, const ThreadPool&) {
  const Tensor &x = step.inputs[0], &y = step.y;
  const bool max = step.node->numbers[0] == 1, keep = step.node->numbers[1] != 0;
  std::fill_n(y.data, y.elements(), max ? -std::numeric_limits<float>::infinity() : 0.0F);
  // y seen along the axes of x: it does not move along those that are reduced.
  View to(y.data);
  size_t next = 2, axis_of_y = 0;
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {
    const bool reduced =
        next < step.node->numbers.size() && step.node->numbers[next] == static_cast<int64_t>(axis);
    to.add(x.shape[axis], reduced ? 0 : static_cast<std::ptrdiff_t>(y.strides[axis_of_y]));
    next += reduced ? 1 : 0;
    axis_of_y += reduced && !keep ? 0 : 1;
  }
  const View from(x);
  for_each_row<2>({&from, &to}, [&](const auto& at, const auto& stride, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const auto k = static_cast<std::ptrdiff_t>(i);
      float& sum = at[1][k * stride[1]];
      const float v = at[0][k * stride[0]];
      sum = max ? std::max(sum, v) : sum + v;
    }
  });
  if (step.node->numbers[0] != 0) return;
  const size_t count = x.elements() / y.elements();
  for (size_t i = 0; i < y.elements(); ++i) y.data[i] /= static_cast<float>(count);
}

}  // namespace

extern const Operator op_reduce = {"reduce", Weights::none, check, run};

}  // namespace nestling::runtime
