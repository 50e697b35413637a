#include "package/step.h"

namespace nestling {

// As depthwise where every channel has one filter of its own.
void lower(const Conv& op, LoweringStep& step) {
  const Shape &x = step.in_shape(0), &weight = step.in_shape(1);
  const int64_t groups = Conv::groups(x, weight);
  const bool depthwise = groups > 1 && weight[1] == 1 && weight[0] == x[1];
  runtime::NodeSpec spec = window_spec(depthwise ? "depthwise" : "conv", op);
  if (!depthwise && groups > 1) spec.numbers = {groups};
  LayerSource source;
  source.weight = step.graph().value(step.node().inputs[1]).name;
  if (step.node().inputs.size() > 2) {
    source.bias = step.graph().value(step.node().inputs[2]).name;
  }
  step.append_layer(std::move(spec), std::move(source));
}

}  // namespace nestling
