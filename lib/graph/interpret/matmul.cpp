#include "graph/interpret/step.h"

namespace nestling {

void interpret(const MatMul&, const Step& step) {
  const Tensor &a = step.input(0), &b = step.input(1);
  const size_t rank = step.y.shape.size();
  const Shape batch(step.y.shape.begin(), step.y.shape.end() - 2);
  const auto rows = static_cast<size_t>(step.y.shape[rank - 2]);
  const auto columns = static_cast<size_t>(step.y.shape[rank - 1]);
  const auto sums = static_cast<size_t>(a.shape.back());
  const auto matrices = [&](const Shape& shape) {
    return places(batch, broadcast_strides(Shape(shape.begin(), shape.end() - 2), batch.size()));
  };
  const std::vector<size_t> from_a = matrices(a.shape), from_b = matrices(b.shape);
  for (size_t m = 0; m < from_a.size(); ++m) {
    for (size_t i = 0; i < rows; ++i) {
      for (size_t j = 0; j < columns; ++j) {
        float sum = 0;
        for (size_t k = 0; k < sums; ++k) {
          sum += a.data[(from_a[m] * rows + i) * sums + k] *
                 b.data[(from_b[m] * sums + k) * columns + j];
        }
        step.y.data[(m * rows + i) * columns + j] = sum;
      }
    }
  }
}

}  // namespace nestling
