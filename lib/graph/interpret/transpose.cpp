#include "graph/interpret/step.h"

namespace nestling {

void interpret(const Transpose& op, const Step& step) {
  const std::vector<int64_t> walk = strides(step.input(0).shape);
  std::vector<int64_t> ordered;
  for (const int64_t axis : op.order) ordered.push_back(walk[static_cast<size_t>(axis)]);
  gather(step.input(0), places(step.y.shape, ordered), step.y);
}

}  // namespace nestling
