#include "train/ops/step.h"

namespace nestling {

// LibTorch 1.13's own channel_shuffle has no derivative.
at::Tensor forward(const Shuffle& op, const TorchStep& step) {
  const at::Tensor x = step.input(0);
  return channels_last(x.unflatten(1, at::IntArrayRef{op.groups, x.size(1) / op.groups})
                           .transpose(1, 2)
                           .flatten(1, 2));
}

}  // namespace nestling
