#include "graph/interpret/normalise.h"
#include "graph/interpret/step.h"

namespace nestling {

void interpret(const GroupNorm& op, const Step& step) {
  const Tensor& x = step.input(0);
  const auto [batch, channels, area] = fold(x.shape, 1);
  const size_t count = static_cast<size_t>(op.size) * area;
  for (size_t at = 0; at < batch * channels * area; at += count) {
    normalise(x.data.data() + at, count, op.epsilon, step.y.data.data() + at);
  }
}

}  // namespace nestling
