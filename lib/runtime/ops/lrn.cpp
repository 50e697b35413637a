// x / (bias + alpha / size * squares of the channels around)^beta, along axis 1. numbers: {size};
// reals: {alpha, beta, bias}.
#include <algorithm>
#include <cmath>

#include "runtime/along.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (node.numbers.size() != 1 || node.reals.size() != 3 || node.numbers[0] < 1 ||
      node.numbers[0] > 1 << 20 || out.size() < 2) {
    return "an LRN lacks its numbers";
  }
  return check_same(in, out);
}

void run(const Step& step, const ThreadPool&) {
  const int64_t size = step.node->numbers[0], before = (size - 1) / 2, after = size - 1 - before;
  const float alpha = step.node->reals[0] / static_cast<float>(size);
  const float beta = step.node->reals[1], bias = step.node->reals[2];
  const auto channels = static_cast<int64_t>(step.y.shape[1]);
  const auto stride = static_cast<int64_t>(step.y.strides[1]);
  for_each_line(View(step.inputs[0]), View(step.y), 1, [&](const float* x, float* y) {
    for (int64_t c = 0; c < channels; ++c) {
      float sum = 0;
      const int64_t last = std::min(c + after, channels - 1);
      for (int64_t k = std::max<int64_t>(c - before, 0); k <= last; ++k) {
        sum += x[k * stride] * x[k * stride];
      }
      y[c * stride] = x[c * stride] / std::pow(bias + alpha * sum, beta);
    }
  });
}

}  // namespace

extern const Operator op_lrn = {"lrn", Weights::none, check, run};

}  // namespace nestling::runtime
