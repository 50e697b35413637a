#include "train/ops/step.h"

namespace nestling {

// The sum over the window by how many of its elements count.
at::Tensor forward(const AveragePool& op, const TorchStep& step) {
  const at::Tensor& x = step.input(0);
  const Padding around = covering(op, {1, 1}, x, step.shape);
  const at::Tensor mean = at::avg_pool2d(padded(x, around, 0), op.kernel, op.stride);
  if (around == Padding{} || (op.count_padding && around == op.padding)) return mean;
  at::Tensor counted = at::ones_like(x.slice(0, 0, 1).slice(1, 0, 1));
  Padding rest = around;
  if (op.count_padding) {
    counted = padded(counted, op.padding, 1);
    for (size_t i = 0; i < 4; ++i) rest[i] -= op.padding[i];
  }
  return mean / at::avg_pool2d(padded(counted, rest, 0), op.kernel, op.stride);
}

}  // namespace nestling
