#include "graph/interpret/step.h"

namespace nestling {

void interpret(const ConvTranspose& op, const Step& step) {
  const Tensor &x = step.input(0), &w = step.input(1);
  Tensor& y = step.y;
  const int64_t channels = x.shape[1], filters = w.shape[1], all_filters = y.shape[1];
  const int64_t height = y.shape[2], width = y.shape[3];
  if (step.inputs.size() > 2) {
    const auto area = static_cast<size_t>(height * width);
    for (size_t i = 0; i < y.data.size(); ++i) {
      y.data[i] = step.input(2).data[i / area % static_cast<size_t>(all_filters)];
    }
  }
  size_t at = 0;
  for (int64_t n = 0; n < x.shape[0]; ++n) {
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t first = c / (channels / op.groups) * filters;
      for (int64_t i = 0; i < x.shape[2]; ++i) {
        for (int64_t j = 0; j < x.shape[3]; ++j, ++at) {
          for (int64_t m = 0; m < filters; ++m) {
            for (int64_t u = 0; u < op.kernel[0]; ++u) {
              const int64_t row = i * op.stride[0] + u * op.dilation[0] - op.padding[0];
              if (row < 0 || row >= height) continue;
              for (int64_t v = 0; v < op.kernel[1]; ++v) {
                const int64_t column = j * op.stride[1] + v * op.dilation[1] - op.padding[1];
                if (column < 0 || column >= width) continue;
                const auto to = ((n * all_filters + first + m) * height + row) * width + column;
                const auto tap = ((c * filters + m) * op.kernel[0] + u) * op.kernel[1] + v;
                y.data[static_cast<size_t>(to)] += x.data[at] * w.data[static_cast<size_t>(tap)];
              }
            }
          }
        }
      }
    }
  }
}

}  // namespace nestling
