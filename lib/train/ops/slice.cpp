#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const Slice& op, const TorchStep& step) {
  at::Tensor y = step.input(0);
  for (size_t i = 0; i < op.axes.size(); ++i) {
    const Slice::Range range = op.range(i, y.size(op.axes[i]));
    if (range.step > 0) {
      const int64_t end = range.start + (range.count - 1) * range.step + 1;
      y = y.slice(op.axes[i], range.start, end, range.step);
    } else {  // backwards, which slice cannot
      const int64_t last = range.start + (range.count - 1) * range.step;
      y = y.slice(op.axes[i], last, range.start + 1, -range.step).flip({op.axes[i]});
    }
  }
  return y;
}

}  // namespace nestling
