// numbers: {axis, 1 for its logarithm}.
#include <algorithm>
#include <cmath>

#include "runtime/along.h"
#include "runtime/elementwise.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (node.numbers.size() != 2 || static_cast<uint64_t>(node.numbers[0]) >= out.size()) {
    return "a softmax has an axis that is not there";
  }
  return check_same(in, out);
}

void run(const Step& step, const ThreadPool&) {
  const auto axis = static_cast<size_t>(step.node->numbers[0]);
  const bool log = step.node->numbers[1] != 0;
  const size_t count = step.y.shape[axis], stride = step.y.strides[axis];
  for_each_line(View(step.inputs[0]), View(step.y), axis, [&](const float* x, float* y) {
    if (stride == 1) return softmax(x, y, count, log);
    float highest = x[0], sum = 0;
    for (size_t i = 1; i < count; ++i) highest = std::max(highest, x[i * stride]);
    for (size_t i = 0; i < count; ++i) sum += y[i * stride] = std::exp(x[i * stride] - highest);
    for (size_t i = 0; i < count; ++i) {
      float& v = y[i * stride];
      v = log ? x[i * stride] - highest - std::log(sum) : v / sum;
    }
  });
}

}  // namespace

extern const Operator op_softmax = {"softmax", Weights::none, check, run};

}  // namespace nestling::runtime
