// numbers: {UnaryFunction}; reals: {a, b}.
#include <algorithm>
#include <cmath>

#include "runtime/elementwise.h"
#include "runtime/functions.h"
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

using F = UnaryFunction;

// Of those that unary() has no vectors for.
float value(F function, float x) {
  switch (function) {
    case F::identity:
    case F::leaky_relu:
    case F::elu:
    case F::selu:
    case F::sigmoid:
    case F::hard_sigmoid:
    case F::hard_swish:
    case F::mish:
    case F::gelu:
    case F::tanh:
      break;  // unary() has all of these
    case F::softplus:
      return std::max(x, 0.0F) + std::log1p(std::exp(-std::abs(x)));
    case F::softsign:
      return x / (1 + std::abs(x));
    case F::erf:
      return std::erf(x);
    case F::sqrt:
      return std::sqrt(x);
    case F::exp:
      return std::exp(x);
    case F::log:
      return std::log(x);
    case F::abs:
      return std::abs(x);
    case F::neg:
      return -x;
    case F::reciprocal:
      return 1 / x;
    case F::floor:
      return std::floor(x);
    case F::ceil:
      return std::ceil(x);
  }
  return x;
}

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (node.numbers.size() != 1 || node.reals.size() != 2 || node.numbers[0] < 0 ||
      node.numbers[0] >= kUnaryFunctions) {
    return "there is no such function";
  }
  return check_same(in, out);
}

void run(const Step& step, const ThreadPool& pool) {
  constexpr size_t kBlock = 1024;  // elements
  const NodeSpec& node = *step.node;
  const F function = static_cast<F>(node.numbers[0]);
  const bool times_x = step.then == Then::multiply;
  pool.parallel(step.y.elements(), kBlock, [&](size_t first, size_t last) {
    const float* x = step.inputs[0].data;
    float* y = step.y.data;
    if (unary(function, node.reals[0], node.reals[1], times_x, x + first, y + first,
              last - first)) {
      return;
    }
    for (size_t i = first; i < last; ++i) y[i] = value(function, x[i]) * (times_x ? x[i] : 1);
  });
}

}  // namespace

extern const Operator op_unary = {
    "unary", Weights::none, check, run, {.by_channel = true, .in_place = true}};

}  // namespace nestling::runtime
