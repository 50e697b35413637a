#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const Concat& op, const TorchStep& step) {
  return at::cat(step.inputs, op.axis);
}

}  // namespace nestling
