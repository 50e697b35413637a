#include "package/step.h"

namespace nestling {

// As depthwise where every channel has one filter of its own.
void lower(const Conv& op, LoweringStep& step) {
  const Shape &x = step.in_shape(0), &weight = step.in_shape(1);
  const int64_t groups = Conv::groups(x, weight);
  const bool depthwise = Conv::is_depthwise(x, weight);
  runtime::NodeSpec spec = window_spec(depthwise ? "depthwise" : "conv", op);
  if (!depthwise && groups > 1) spec.numbers = {groups};
  step.append_layer(std::move(spec), step.weights());
}

}  // namespace nestling
