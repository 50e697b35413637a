// numbers: {UnaryFunction}; reals: {a, b}.
#include <algorithm>
#include <cmath>

#include "runtime/elementwise.h"
#include "runtime/functions.h"
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

using F = UnaryFunction;

// Calls each(f) with the function of one element, of those that unary() has no vectors for.
template <typename Each>
void with_function(F function, const Each& each) {
  switch (function) {
    case F::identity:
      return each([](float x) { return x; });
    case F::leaky_relu:
    case F::elu:
    case F::selu:
    case F::sigmoid:
    case F::hard_sigmoid:
    case F::hard_swish:
    case F::mish:
    case F::gelu:
    case F::tanh:
    case F::erf:
      return;  // unary() has all of these
    case F::softplus:
      return each([](float x) { return std::max(x, 0.0F) + std::log1p(std::exp(-std::abs(x))); });
    case F::softsign:
      return each([](float x) { return x / (1 + std::abs(x)); });
    case F::sqrt:
      return each([](float x) { return std::sqrt(x); });
    case F::exp:
      return each([](float x) { return std::exp(x); });
    case F::log:
      return each([](float x) { return std::log(x); });
    case F::abs:
      return each([](float x) { return std::abs(x); });
    case F::neg:
      return each([](float x) { return -x; });
    case F::reciprocal:
      return each([](float x) { return 1 / x; });
    case F::floor:
      return each([](float x) { return std::floor(x); });
    case F::ceil:
      return each([](float x) { return std::ceil(x); });
  }
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
  const auto run_block = [&](const float* x, float* y, size_t count) {
    if (unary(function, node.reals[0], node.reals[1], x, y, count)) return;
    with_function(function, [&](const auto& f) {
      for (size_t i = 0; i < count; ++i) y[i] = f(x[i]);
    });
  };
  pool.parallel(step.y.elements(), kBlock, [&](size_t first, size_t last) {
    for (size_t from = first; from < last; from += kBlock) {
      const float* x = step.inputs[0].data + from;
      float* y = step.y.data + from;
      const size_t count = std::min(kBlock, last - from);
      if (step.then != Then::multiply) {
        run_block(x, y, count);
      } else if (function == F::sigmoid) {
        silu(x, y, count);
      } else {  // y may lie over x, which is needed once more
        float block[kBlock];
        run_block(x, block, count);
        multiply(x, block, y, count);
      }
    }
  });
}

}  // namespace

extern const Operator op_unary = {
    "unary", Weights::none, check, run, {.by_channel = true, .in_place = true}};

}  // namespace nestling::runtime
