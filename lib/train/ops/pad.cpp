#include "train/ops/step.h"

namespace nestling {

// Constants around it, or for each axis the elements that stand where the padding is.
at::Tensor forward(const Pad& op, const TorchStep& step) {
  at::Tensor y = step.input(0);
  if (op.mode == Pad::Mode::constant) {
    std::vector<int64_t> last_first;
    for (size_t i = op.before.size(); i > 0; --i) {
      last_first.insert(last_first.end(), {op.before[i - 1], op.after[i - 1]});
    }
    return at::constant_pad_nd(y, last_first, op.value);
  }
  for (size_t i = 0; i < op.before.size(); ++i) {
    if (op.before[i] == 0 && op.after[i] == 0) continue;
    const auto axis = static_cast<int64_t>(i);
    const int64_t size = y.size(axis);
    at::Tensor at = at::arange(-op.before[i], size + op.after[i], y.options().dtype(at::kLong));
    if (op.mode == Pad::Mode::reflect) {
      at = at::abs(at);
      at = at::where(at >= size, 2 * (size - 1) - at, at);
    }
    y = y.index_select(axis, at::clamp(at, 0, size - 1));
  }
  return y;
}

}  // namespace nestling
