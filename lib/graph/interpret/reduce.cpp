#include <algorithm>
#include <limits>

#include "graph/interpret/step.h"

namespace nestling {

void interpret(const Reduce& op, const Step& step) {
  const Tensor& x = step.input(0);
  // Where each element of x goes: the axes that are reduced have no stride in y.
  Shape kept = x.shape;
  for (const int64_t axis : op.axes) kept[static_cast<size_t>(axis)] = 1;
  const std::vector<size_t> to = places(x.shape, broadcast_strides(kept, kept.size()));
  const bool max = op.function == Reduce::Function::max;
  if (max) step.y.data.assign(step.y.data.size(), -std::numeric_limits<float>::infinity());
  for (size_t i = 0; i < x.data.size(); ++i) {
    float& y = step.y.data[to[i]];
    y = max ? std::max(y, x.data[i]) : y + x.data[i];
  }
  if (op.function == Reduce::Function::mean) {
    const size_t count = x.data.size() / step.y.data.size();
    for (float& y : step.y.data) y /= static_cast<float>(count);
  }
}

}  // namespace nestling
