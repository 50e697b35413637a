#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const SpaceToDepth& op, const TorchStep& step) {
  const at::Tensor& x = step.input(0);
  const int64_t b = op.block, n = x.size(0), c = x.size(1), h = x.size(2) / b, w = x.size(3) / b;
  const at::Tensor split = x.reshape({n, c, h, b, w, b}).permute({0, 3, 5, 1, 2, 4});
  return channels_last(split.reshape({n, c * b * b, h, w}));
}

}  // namespace nestling
