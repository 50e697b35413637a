#include "graph/interpret/step.h"

namespace nestling {

void interpret(const Resize& op, const Step& step) {
  const Tensor& x = step.input(0);
  const int64_t height = x.shape[2], width = x.shape[3];
  size_t at = 0;
  for (int64_t plane = 0; plane < x.shape[0] * x.shape[1]; ++plane) {
    for (int64_t i = 0; i < op.size[0]; ++i) {
      const Resize::Taps row = op.taps(0, height, i);
      for (int64_t j = 0; j < op.size[1]; ++j, ++at) {
        const Resize::Taps column = op.taps(1, width, j);
        const auto pixel = [&](int64_t u, int64_t v) {
          return x.data[static_cast<size_t>((plane * height + u) * width + v)];
        };
        const auto mixed = [&](int64_t u) {
          return pixel(u, column.low) * (1 - column.part) + pixel(u, column.high) * column.part;
        };
        step.y.data[at] = mixed(row.low) * (1 - row.part) + mixed(row.high) * row.part;
      }
    }
  }
}

}  // namespace nestling
