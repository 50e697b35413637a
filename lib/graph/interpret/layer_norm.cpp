#include "graph/interpret/normalise.h"
#include "graph/interpret/step.h"

namespace nestling {

void interpret(const LayerNorm& op, const Step& step) {
  const Tensor& x = step.input(0);
  const size_t rank = x.shape.size();
  const size_t first =
      op.axis < 0 ? rank - static_cast<size_t>(-op.axis) : static_cast<size_t>(op.axis);
  const size_t count = fold(x.shape, first, rank - first).along;
  for (size_t at = 0; at < x.data.size(); at += count) {
    normalise(x.data.data() + at, count, op.epsilon, step.y.data.data() + at);
  }
  for (size_t k = 1; k < step.inputs.size(); ++k) {
    const Tensor& operand = step.input(k);
    const std::vector<size_t> from = places(x.shape, broadcast_strides(operand.shape, rank));
    for (size_t i = 0; i < from.size(); ++i) {
      float& y = step.y.data[i];
      y = k == 1 ? y * operand.data[from[i]] : y + operand.data[from[i]];
    }
  }
}

}  // namespace nestling
