#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const Shuffle& op, const TorchStep& step) {
  return channels_last(at::channel_shuffle(step.input(0).contiguous(), op.groups));
}

}  // namespace nestling
