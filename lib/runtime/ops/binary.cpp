// Two inputs, broadcast to a common shape as numpy does. numbers: {BinaryFunction}.
#include <algorithm>
#include <cmath>

#include "runtime/functions.h"
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

using F = BinaryFunction;

template <typename Each>
void with_function(F function, const Each& each) {
  switch (function) {
    case F::add:
      return each([](float a, float b) { return a + b; });
    case F::sub:
      return each([](float a, float b) { return a - b; });
    case F::mul:
      return each([](float a, float b) { return a * b; });
    case F::div:
      return each([](float a, float b) { return a / b; });
    case F::max:
      return each([](float a, float b) { return std::max(a, b); });
    case F::min:
      return each([](float a, float b) { return std::min(a, b); });
    case F::pow:
      return each([](float a, float b) { return std::pow(a, b); });
    case F::prelu:
      return each([](float a, float b) { return a < 0 ? a * b : a; });
  }
}

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (node.numbers.size() != 1 || node.numbers[0] < 0 || node.numbers[0] >= kBinaryFunctions) {
    return "there is no such function";
  }
  if (in.size() != 2) return "a function of two inputs has not two";
  for (size_t axis = 0; axis < out.size(); ++axis) {
    uint32_t wide = 1;
    for (const Shape& shape : in) {
      if (shape.size() > out.size()) return "the inputs do not fit each other";
      const size_t offset = out.size() - shape.size();
      const uint32_t size = axis < offset ? 1 : shape[axis - offset];
      if (size != 1 && size != out[axis]) return "the inputs do not fit each other";
      wide = std::max(wide, size);
    }
    if (wide != out[axis]) return "the inputs do not fit each other";
  }
  return nullptr;
}

void run(const Step& step, const ThreadPool& pool) {
  const F function = static_cast<F>(step.node->numbers[0]);
  if (step.inputs[0].shape == step.y.shape && step.inputs[1].shape == step.y.shape) {
    const float *first = step.inputs[0].data, *second = step.inputs[1].data;
    float* to = step.y.data;
    return with_function(function, [&](const auto& f) {
      pool.parallel(step.y.elements(), 4096, [=](size_t from, size_t end) {
        for (size_t i = from; i < end; ++i) to[i] = f(first[i], second[i]);
      });
    });
  }
  const View a = broadcast(step.inputs[0], step.y.shape),
             b = broadcast(step.inputs[1], step.y.shape);
  const View y(step.y);
  with_function(function, [&](const auto& f) {
    for_each_row<3>({&y, &a, &b}, [&](const auto& at, const auto& stride, size_t count) {
      if (stride[0] == 1 && stride[1] == 1 && stride[2] == 1) {
        for (size_t i = 0; i < count; ++i) at[0][i] = f(at[1][i], at[2][i]);
        return;
      }
      for (size_t i = 0; i < count; ++i) {
        const auto k = static_cast<std::ptrdiff_t>(i);
        at[0][k * stride[0]] = f(at[1][k * stride[1]], at[2][k * stride[2]]);
      }
    });
  });
}

}  // namespace

extern const Operator op_binary = {"binary", Weights::none, check, run};

}  // namespace nestling::runtime
