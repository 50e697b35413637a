#include <algorithm>

#include "graph/interpret/step.h"

namespace nestling {

void interpret(const Pad& op, const Step& step) {
  const Tensor& x = step.input(0);
  const std::vector<int64_t> walk = strides(x.shape), out = strides(step.y.shape);
  for (size_t i = 0; i < step.y.data.size(); ++i) {
    int64_t from = 0;
    bool inside = true;
    for (size_t axis = 0; axis < x.shape.size(); ++axis) {
      const int64_t size = x.shape[axis];
      int64_t at = static_cast<int64_t>(i) / out[axis] % step.y.shape[axis] - op.before[axis];
      inside = inside && at >= 0 && at < size;
      if (op.mode == Pad::Mode::reflect) {
        at = at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
      }
      from += std::clamp<int64_t>(at, 0, size - 1) * walk[axis];
    }
    const bool value = op.mode == Pad::Mode::constant && !inside;
    step.y.data[i] = value ? op.value : x.data[static_cast<size_t>(from)];
  }
}

}  // namespace nestling
