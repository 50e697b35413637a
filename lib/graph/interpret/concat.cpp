#include <algorithm>

#include "graph/interpret/step.h"

namespace nestling {

void interpret(const Concat& op, const Step& step) {
  const size_t axis = static_cast<size_t>(op.axis);
  auto out = step.y.data.begin();
  for (size_t o = 0; o < fold(step.y.shape, axis).before; ++o) {
    for (const Tensor* part : step.inputs) {
      const Fold along = fold(part->shape, axis);
      const auto size = static_cast<std::ptrdiff_t>(along.along * along.after);
      const auto from = part->data.begin() + static_cast<std::ptrdiff_t>(o) * size;
      out = std::copy(from, from + size, out);
    }
  }
}

}  // namespace nestling
