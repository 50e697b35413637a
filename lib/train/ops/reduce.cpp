#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const Reduce& op, const TorchStep& step) {
  const at::Tensor& x = step.input(0);
  switch (op.function) {
    case Reduce::Function::mean:
      return x.mean(op.axes, op.keep);
    case Reduce::Function::max:
      return x.amax(op.axes, op.keep);
    case Reduce::Function::sum:
      return x.sum(op.axes, op.keep);
  }
  return x;
}

}  // namespace nestling
