#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const LayerNorm& op, const TorchStep& step) {
  const at::Tensor& x = step.input(0);
  const int64_t first = op.axis < 0 ? op.axis + x.dim() : op.axis;
  const at::Tensor y =
      at::layer_norm(x, x.sizes().slice(static_cast<size_t>(first)), {}, {}, op.epsilon, false) *
      step.input(1);
  return step.bias().defined() ? y + step.bias() : y;
}

}  // namespace nestling
