#include "graph/interpret/step.h"

namespace nestling {

void interpret(const Slice& op, const Step& step) {
  const Tensor& x = step.input(0);
  std::vector<int64_t> walk = strides(x.shape);
  int64_t start = 0;
  for (size_t i = 0; i < op.axes.size(); ++i) {
    const auto axis = static_cast<size_t>(op.axes[i]);
    const Slice::Range range = op.range(i, x.shape[axis]);
    start += range.start * walk[axis];
    walk[axis] *= range.step;
  }
  gather(x, places(step.y.shape, walk, start), step.y);
}

}  // namespace nestling
