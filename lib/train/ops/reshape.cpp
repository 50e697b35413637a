#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const Reshape&, const TorchStep& step) {
  return channels_last(step.input(0).reshape(step.shape));
}

}  // namespace nestling
