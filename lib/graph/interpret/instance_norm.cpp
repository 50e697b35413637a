#include "graph/interpret/normalise.h"
#include "graph/interpret/step.h"

namespace nestling {

void interpret(const InstanceNorm& op, const Step& step) {
  const Tensor& x = step.input(0);
  const auto [batch, channels, area] = fold(x.shape, 1);
  for (size_t plane = 0; plane < batch * channels; ++plane) {
    float* y = step.y.data.data() + plane * area;
    normalise(x.data.data() + plane * area, area, op.epsilon, y);
    const float scale = step.input(1).data[plane % channels];
    const float shift = step.input(2).data[plane % channels];
    for (size_t i = 0; i < area; ++i) y[i] = y[i] * scale + shift;
  }
}

}  // namespace nestling
