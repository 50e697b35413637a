#include "graph/interpret/step.h"

namespace nestling {

void interpret(const SpaceToDepth& op, const Step& step) {
  const Tensor& x = step.input(0);
  const std::vector<int64_t> s = strides(x.shape);
  const int64_t b = op.block;
  // Seen as [N, block, block, C, H / block, W / block].
  const Shape split = {x.shape[0], b, b, x.shape[1], x.shape[2] / b, x.shape[3] / b};
  gather(x, places(split, {s[0], s[2], s[3], s[1], b * s[2], b * s[3]}), step.y);
}

}  // namespace nestling
