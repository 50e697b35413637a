// (x - mean) / sqrt(variance + epsilon) over the axes from numbers[0] on, for every place of those
// before: the middle of InstanceNormalization and LayerNormalization. reals: {epsilon}.
#include <cmath>

#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (node.numbers.size() != 1 || node.reals.size() != 1 ||
      static_cast<uint64_t>(node.numbers[0]) >= out.size()) {
    return "a normalisation has an axis that is not there";
  }
  return check_same(in, out);
}

// `view` with the axes from `first` on in place of those before, which are 1.
View inner(const Tensor& t, size_t first, float* at) {
  View view(at);
  for (size_t axis = first; axis < t.shape.size(); ++axis) {
    view.add(t.shape[axis], static_cast<std::ptrdiff_t>(t.strides[axis]));
  }
  return view;
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
  const auto first = static_cast<size_t>(step.node->numbers[0]);
  View from(x.data), to(y.data);
  size_t count = 1;
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {
    if (axis >= first) {
      count *= x.shape[axis];
      continue;
    }
    from.add(x.shape[axis], static_cast<std::ptrdiff_t>(x.strides[axis]));
    to.add(x.shape[axis], static_cast<std::ptrdiff_t>(y.strides[axis]));
  }
  for_each_row<2>({&from, &to}, [&](const auto& at, const auto& stride, size_t places) {
    for (size_t i = 0; i < places; ++i) {
      const auto k = static_cast<std::ptrdiff_t>(i);
      one(inner(x, first, at[0] + k * stride[0]), inner(y, first, at[1] + k * stride[1]), count,
          step.node->reals[0]);
    }
  });
}

}  // namespace

extern const Operator op_normalise = {"normalise", Weights::none, check, run};

}  // namespace nestling::runtime
