#include "graph/interpret/step.h"

namespace nestling {

void interpret(const Shuffle& op, const Step& step) {
  const Tensor& x = step.input(0);
  const std::vector<int64_t> s = strides(x.shape);
  const int64_t each = x.shape[1] / op.groups;
  const Shape split = {x.shape[0], each, op.groups, x.shape[2], x.shape[3]};
  gather(x, places(split, {s[0], s[1], each * s[1], s[2], s[3]}), step.y);
}

}  // namespace nestling
