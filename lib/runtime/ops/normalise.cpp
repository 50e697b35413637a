// (x - mean) / sqrt(variance + epsilon) over the axes from numbers[0] on, for every place of those
// before; with numbers[1] for every so many elements of the first of these axes. The middle of
// InstanceNormalization, LayerNormalization and GroupNormalization. reals: {epsilon}.
#include <cmath>

#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (node.numbers.empty() || node.numbers.size() > 2 || node.reals.size() != 1 ||
      static_cast<uint64_t>(node.numbers[0]) >= out.size()) {
    return "a normalisation has an axis that is not there";
  }
  const uint32_t first = out[static_cast<size_t>(node.numbers[0])];
  if (node.numbers.size() == 2 && (node.numbers[1] < 1 || first % node.numbers[1] != 0)) {
    return "a normalisation's groups do not fit";
  }
  return check_same(in, out);
}

void one(const View& x, const View& y, size_t count, float epsilon) {
  double mean = 0, variance = 0;
  const auto sum = [&](const auto& f) {
    for_each_row<1>({&x}, [&](const auto& at, const auto& stride, size_t n) {
      for (size_t i = 0; i < n; ++i) f(at[0][static_cast<std::ptrdiff_t>(i) * stride[0]]);
    });
  };
  sum([&](float v) { mean += v; });
  mean /= static_cast<double>(count);
  sum([&](float v) { variance += (v - mean) * (v - mean); });
  const double scale = 1 / std::sqrt(variance / static_cast<double>(count) + epsilon);
  for_each_row<2>({&y, &x}, [&](const auto& at, const auto& stride, size_t n) {
    for (size_t i = 0; i < n; ++i) {
      const auto k = static_cast<std::ptrdiff_t>(i);
      at[0][k * stride[0]] = static_cast<float>((at[1][k * stride[1]] - mean) * scale);
    }
  });
}

void run(const Step& step, const ThreadPool&) {
  const Tensor &x = step.inputs[0], &y = step.y;
  const std::vector<int64_t>& numbers = step.node->numbers;
  const auto first = static_cast<size_t>(numbers[0]);
  const size_t size = numbers.size() == 2 ? static_cast<size_t>(numbers[1]) : x.shape[first];
  // The places, and what is normalised at each.
  View from(x.data), to(y.data), line(x.data), result(y.data);
  const auto add = [&](View& of_x, View& of_y, size_t count, size_t axis, size_t apart) {
    of_x.add(count, static_cast<std::ptrdiff_t>(apart * x.strides[axis]));
    of_y.add(count, static_cast<std::ptrdiff_t>(apart * y.strides[axis]));
  };
  for (size_t axis = 0; axis < first; ++axis) add(from, to, x.shape[axis], axis, 1);
  add(from, to, x.shape[first] / size, first, size);
  add(line, result, size, first, 1);
  size_t count = size;
  for (size_t axis = first + 1; axis < x.shape.size(); ++axis) {
    add(line, result, x.shape[axis], axis, 1);
    count *= x.shape[axis];
  }
  for_each_row<2>({&from, &to}, [&](const auto& at, const auto& stride, size_t places) {
    for (size_t i = 0; i < places; ++i) {
      const auto k = static_cast<std::ptrdiff_t>(i);
      line.data = at[0] + k * stride[0];
      result.data = at[1] + k * stride[1];
      one(line, result, count, step.node->reals[0]);
    }
  });
}

}  // namespace

extern const Operator op_normalise = {"normalise", Weights::none, check, run};

}  // namespace nestling::runtime
