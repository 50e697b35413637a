#include "graph/interpret/step.h"

namespace nestling {

void interpret(const Binary& op, const Step& step) {
  const Shape& shape = step.y.shape;
  const Tensor &a = step.input(0), &b = step.input(1);
  const std::vector<size_t> from_a = places(shape, broadcast_strides(a.shape, shape.size()));
  const std::vector<size_t> from_b = places(shape, broadcast_strides(b.shape, shape.size()));
  for (size_t i = 0; i < step.y.data.size(); ++i) {
    step.y.data[i] = op(a.data[from_a[i]], b.data[from_b[i]]);
  }
}

}  // namespace nestling
