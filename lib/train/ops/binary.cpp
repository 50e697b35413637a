#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const Binary& op, const TorchStep& step) {
  using F = Binary::Function;
  const at::Tensor &a = step.input(0), &b = step.input(1);
  switch (op.function) {
    case F::add:
      return a + b;
    case F::sub:
      return a - b;
    case F::mul:
      return a * b;
    case F::div:
      return a / b;
    case F::max:
      return at::maximum(a, b);
    case F::min:
      return at::minimum(a, b);
    case F::pow:
      return at::pow(a, b);
    case F::prelu:
      return at::where(a < 0, a * b, a);
  }
  return a;
}

}  // namespace nestling
