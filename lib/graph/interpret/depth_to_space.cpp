#include "graph/interpret/step.h"

namespace nestling {

void interpret(const DepthToSpace& op, const Step& step) {
  const Tensor& x = step.input(0);
  const std::vector<int64_t> s = strides(x.shape);
  const int64_t b = op.block, channels = step.y.shape[1];
  // Seen as [N, C, H, block, W, block].
  const int64_t channel = op.column_row_depth ? b * b * s[1] : s[1];
  const int64_t row = op.column_row_depth ? b * s[1] : b * channels * s[1];
  const int64_t column = op.column_row_depth ? s[1] : channels * s[1];
  const Shape split = {x.shape[0], channels, x.shape[2], b, x.shape[3], b};
  gather(x, places(split, {s[0], channel, s[2], row, s[3], column}), step.y);
}

}  // namespace nestling
