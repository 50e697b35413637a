#include <cmath>

#include "graph/interpret/step.h"

namespace nestling {

void interpret(const BatchNorm& op, const Step& step) {
  const Tensor& x = step.input(0);
  const auto [batch, channels, area] = fold(x.shape, 1);
  for (size_t i = 0; i < x.data.size(); ++i) {
    const size_t c = i / area % channels;
    const float scale = step.input(1).data[c] / std::sqrt(step.input(4).data[c] + op.epsilon);
    step.y.data[i] = (x.data[i] - step.input(3).data[c]) * scale + step.input(2).data[c];
  }
}

}  // namespace nestling
