#include "graph/interpret/step.h"

namespace nestling {

void interpret(const Conv& op, const Step& step) {
  const Tensor &x = step.input(0), &w = step.input(1);
  const int64_t channels = x.shape[1], height = x.shape[2], width = x.shape[3];
  const int64_t filters = w.shape[0], per_group = w.shape[1];
  const int64_t groups = Conv::groups(x.shape, w.shape);
  size_t at = 0;
  for (int64_t n = 0; n < step.y.shape[0]; ++n) {
    for (int64_t m = 0; m < filters; ++m) {
      const int64_t first = m / (filters / groups) * per_group;
      for (int64_t i = 0; i < step.y.shape[2]; ++i) {
        for (int64_t j = 0; j < step.y.shape[3]; ++j, ++at) {
          float sum = 0;
          for (int64_t c = 0; c < per_group; ++c) {
            for (int64_t u = 0; u < op.kernel[0]; ++u) {
              const int64_t row = i * op.stride[0] + u * op.dilation[0] - op.padding[0];
              if (row < 0 || row >= height) continue;
              for (int64_t v = 0; v < op.kernel[1]; ++v) {
                const int64_t column = j * op.stride[1] + v * op.dilation[1] - op.padding[1];
                if (column < 0 || column >= width) continue;
                const auto from = ((n * channels + first + c) * height + row) * width + column;
                const auto tap = ((m * per_group + c) * op.kernel[0] + u) * op.kernel[1] + v;
                sum += x.data[static_cast<size_t>(from)] * w.data[static_cast<size_t>(tap)];
              }
            }
          }
          if (step.inputs.size() > 2) sum += step.input(2).data[static_cast<size_t>(m)];
          step.y.data[at] = sum;
        }
      }
    }
  }
}

}  // namespace nestling
