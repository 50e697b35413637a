#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const Unary& op, const TorchStep& step) {
  using F = Unary::Function;
  const at::Tensor& x = step.input(0);
  const auto hard_sigmoid = [&](float alpha, float beta) {
    return at::clamp(x * alpha + beta, 0, 1);
  };
  switch (op.function) {
    case F::relu:
      return at::relu(x);
    case F::clip:
      return at::clamp(x, op.alpha, op.beta);
    case F::leaky_relu:
      return at::leaky_relu(x, op.alpha);
    case F::elu:
      return at::elu(x, op.alpha);
    case F::selu:
      return at::elu(x, op.alpha, op.beta);
    case F::sigmoid:
      return at::sigmoid(x);
    case F::hard_sigmoid:
      return hard_sigmoid(op.alpha, op.beta);
    case F::hard_swish:
      return x * hard_sigmoid(1.0F / 6, 0.5F);
    case F::mish:
      return x * at::tanh(at::softplus(x));
    case F::gelu:
      return at::gelu(x);
    case F::tanh:
      return at::tanh(x);
    case F::softplus:
      return at::softplus(x);
    case F::softsign:
      return x / (1 + at::abs(x));
    case F::erf:
      return at::erf(x);
    case F::sqrt:
      return at::sqrt(x);
    case F::exp:
      return at::exp(x);
    case F::log:
      return at::log(x);
    case F::abs:
      return at::abs(x);
    case F::neg:
      return -x;
    case F::reciprocal:
      return at::reciprocal(x);
    case F::floor:
      return at::floor(x);
    case F::ceil:
      return at::ceil(x);
  }
  return x;
}

}  // namespace nestling
