#include <algorithm>
#include <cmath>

#include "graph/interpret/step.h"

namespace nestling {

void interpret(const Lrn& op, const Step& step) {
  const Tensor& x = step.input(0);
  const auto [batch, channels, area] = fold(x.shape, 1);
  const int64_t before = (op.size - 1) / 2, after = op.size - 1 - before;
  for (size_t i = 0; i < x.data.size(); ++i) {
    const auto c = static_cast<int64_t>(i / area % channels);
    const int64_t last = std::min(c + after, static_cast<int64_t>(channels) - 1);
    float sum = 0;
    for (int64_t k = std::max<int64_t>(c - before, 0); k <= last; ++k) {
      const float v = x.data[static_cast<size_t>(static_cast<int64_t>(i) +
                                                 (k - c) * static_cast<int64_t>(area))];
      sum += v * v;
    }
    const float scale = op.bias + op.alpha / static_cast<float>(op.size) * sum;
    step.y.data[i] = x.data[i] / std::pow(scale, op.beta);
  }
}

}  // namespace nestling
