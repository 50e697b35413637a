#include "package/bounds.h"
#include "package/step.h"

namespace nestling {
namespace {

using F = Unary::Function;
using R = runtime::UnaryFunction;

R function_of(F function) {
  switch (function) {
    case F::relu:
    case F::clip:
      return R::identity;
    case F::leaky_relu:
      return R::leaky_relu;
    case F::elu:
      return R::elu;
    case F::selu:
      return R::selu;
    case F::sigmoid:
      return R::sigmoid;
    case F::hard_sigmoid:
      return R::hard_sigmoid;
    case F::hard_swish:
      return R::hard_swish;
    case F::mish:
      return R::mish;
    case F::gelu:
      return R::gelu;
    case F::tanh:
      return R::tanh;
    case F::softplus:
      return R::softplus;
    case F::softsign:
      return R::softsign;
    case F::erf:
      return R::erf;
    case F::sqrt:
      return R::sqrt;
    case F::exp:
      return R::exp;
    case F::log:
      return R::log;
    case F::abs:
      return R::abs;
    case F::neg:
      return R::neg;
    case F::reciprocal:
      return R::reciprocal;
    case F::floor:
      return R::floor;
    case F::ceil:
      return R::ceil;
  }
  return R::identity;
}

}  // namespace

// Relu and Clip that no node before takes as its bounds are bounds of the identity.
void lower(const Unary& op, LoweringStep& step) {
  runtime::NodeSpec spec =
      spec_of("unary", {static_cast<int64_t>(function_of(op.function))}, {op.alpha, op.beta});
  set_bounds(spec, op);
  step.append(std::move(spec), {step.input(0)});
}

}  // namespace nestling
