#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const Transpose& op, const TorchStep& step) {
  return step.input(0).permute(op.order);
}

}  // namespace nestling
