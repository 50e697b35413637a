// Two inputs, broadcast to a common shape as numpy does. numbers: {BinaryFunction}.
#include <algorithm>
#include <cmath>

#include "runtime/elementwise.h"
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

// y = a f b for `count` elements that lie one behind the other.
void run_row(F function, const float* a, const float* b, float* y, size_t count) {
  switch (function) {
    case F::add:
      return add(a, b, y, count);
    case F::mul:
      return multiply(a, b, y, count);
    case F::max:
      return maximum(a, b, y, count);
    default:
      return with_function(function, [&](const auto& f) {
        for (size_t i = 0; i < count; ++i) y[i] = f(a[i], b[i]);
      });
  }
}

void run(const Step& step, const ThreadPool& pool) {
  const F function = static_cast<F>(step.node->numbers[0]);
  const Shape& shape = step.y.shape;
  if (step.inputs[0].shape == shape && step.inputs[1].shape == shape) {
    const float *a = step.inputs[0].data, *b = step.inputs[1].data;
    return pool.parallel(step.y.elements(), 4096, [&](size_t first, size_t last) {
      run_row(function, a + first, b + first, step.y.data + first, last - first);
    });
  }
  const View a = broadcast(step.inputs[0], shape), b = broadcast(step.inputs[1], shape);
  const View y(step.y);
  const auto run_views = [&](const View& to, const View& left, const View& right) {
    for_each_row<3>({&to, &left, &right}, [&](const auto& at, const auto& stride, size_t count) {
      if (stride[0] == 1 && stride[1] == 1 && stride[2] == 1) {
        return run_row(function, at[1], at[2], at[0], count);
      }
      with_function(function, [&](const auto& f) {
        for (size_t i = 0; i < count; ++i) {
          const auto k = static_cast<std::ptrdiff_t>(i);
          at[0][k * stride[0]] = f(at[1][k * stride[1]], at[2][k * stride[2]]);
        }
      });
    });
  };
  if (shape.size() != 4) return run_views(y, a, b);
  pool.parallel(shape[2], 1, [&](size_t first, size_t last) {  // rows of images
    run_views(y.part(2, first, last), a.part(2, first, last), b.part(2, first, last));
  });
}

}  // namespace

extern const Operator op_binary = {
    "binary", Weights::none, check, run, {.by_channel = true, .in_place = true}};

}  // namespace nestling::runtime
