#include "train/ops/step.h"

namespace nestling {

// Rows and columns are taken by index, and mixed: LibTorch's own interpolation knows fewer ways to
// count pixels.
at::Tensor forward(const Resize& op, const TorchStep& step) {
  at::Tensor y = step.input(0);
  for (size_t direction = 0; direction < 2; ++direction) {
    const auto axis = static_cast<int64_t>(direction) + 2;
    std::vector<int64_t> low, high;
    std::vector<float> part;
    for (int64_t i = 0; i < op.size[direction]; ++i) {
      const Resize::Taps taps = op.taps(direction, y.size(axis), i);
      low.push_back(taps.low);
      high.push_back(taps.high);
      part.push_back(taps.part);
    }
    const at::Tensor below = y.index_select(axis, at::tensor(low).to(y.device()));
    if (op.mode == Resize::Mode::nearest) {
      y = below;
      continue;
    }
    const at::Tensor above = y.index_select(axis, at::tensor(high).to(y.device()));
    std::vector<int64_t> along = {1, 1, 1, 1};
    along[direction + 2] = -1;
    y = at::lerp(below, above, at::tensor(part).to(y.device()).view(along).expand_as(below));
  }
  return channels_last(y);
}

}  // namespace nestling
