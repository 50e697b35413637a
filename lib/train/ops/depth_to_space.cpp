#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const DepthToSpace& op, const TorchStep& step) {
  const at::Tensor& x = step.input(0);
  const int64_t b = op.block, n = x.size(0), c = x.size(1) / (b * b), h = x.size(2), w = x.size(3);
  const at::Tensor split = op.column_row_depth
                               ? x.reshape({n, c, b, b, h, w}).permute({0, 1, 4, 2, 5, 3})
                               : x.reshape({n, b, b, c, h, w}).permute({0, 3, 4, 1, 5, 2});
  return channels_last(split.reshape({n, c, h * b, w * b}));
}

}  // namespace nestling
