#include <limits>

#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const MaxPool& op, const TorchStep& step) {
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  const at::Tensor& x = step.input(0);
  const at::Tensor around = padded(x, covering(op, op.dilation, x, step.shape), kLowest);
  return at::max_pool2d(around, op.kernel, op.stride, at::IntArrayRef{0, 0}, op.dilation);
}

}  // namespace nestling
