#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const ChannelNorm& op, const TorchStep& step) {
  const at::Tensor x = step.input(0).permute(kToChannelsLast);
  return at::layer_norm(x, {x.size(3)}, {}, {}, op.epsilon, false).permute(kToChannelsFirst);
}

}  // namespace nestling
