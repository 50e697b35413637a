#include "graph/interpret/normalise.h"
#include "graph/interpret/step.h"

namespace nestling {

void interpret(const ChannelNorm& op, const Step& step) {
  const auto [batch, channels, area] = fold(step.input(0).shape, 1);
  std::vector<float> pixel(channels);
  for (size_t n = 0; n < batch; ++n) {
    for (size_t at = 0; at < area; ++at) {
      const size_t first = n * channels * area + at;
      for (size_t c = 0; c < channels; ++c) pixel[c] = step.input(0).data[first + c * area];
      normalise(pixel.data(), channels, op.epsilon, pixel.data());
      for (size_t c = 0; c < channels; ++c) step.y.data[first + c * area] = pixel[c];
    }
  }
}

}  // namespace nestling
