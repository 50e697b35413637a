#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const Softmax& op, const TorchStep& step) {
  return op.log ? at::log_softmax(step.input(0), op.axis) : at::softmax(step.input(0), op.axis);
}

}  // namespace nestling
