#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const Conv& op, const TorchStep& step) {
  const bool symmetric = op.padding[0] == op.padding[2] && op.padding[1] == op.padding[3];
  const Extent around = symmetric ? Extent{op.padding[0], op.padding[1]} : Extent{};
  const at::Tensor x = symmetric ? step.input(0) : padded(step.input(0), op.padding, 0);
  const at::Tensor& w = step.input(1);
  const int64_t groups = x.size(1) / w.size(1);
  return channels_last(at::conv2d(x, w, step.bias(), op.stride, around, op.dilation, groups));
}

}  // namespace nestling
