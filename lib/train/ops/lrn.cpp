#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const Lrn& op, const TorchStep& step) {
  const at::Tensor& x = step.input(0);
  const int64_t before = (op.size - 1) / 2, after = op.size - 1 - before, n = x.size(0);
  // Squares as [N, 1, C, pixels], so that a pooling runs along the channels.
  const at::Tensor squares = (x * x).reshape({n, 1, x.size(1), -1});
  const at::Tensor sums =
      at::avg_pool2d(at::constant_pad_nd(squares, {0, 0, before, after}, 0), {op.size, 1}, {1, 1});
  return x / at::pow(sums.reshape(x.sizes()) * op.alpha + op.bias, op.beta);
}

}  // namespace nestling
