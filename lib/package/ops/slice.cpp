#include "package/step.h"

namespace nestling {

void lower(const Slice& op, LoweringStep& step) {
  const Shape& x = step.in_shape(0);
  runtime::NodeSpec spec = spec_of("slice");
  for (size_t axis = 0; axis < x.size(); ++axis) spec.numbers.insert(spec.numbers.end(), {0, 1});
  for (size_t i = 0; i < op.axes.size(); ++i) {
    const auto axis = static_cast<size_t>(op.axes[i]);
    const Slice::Range range = op.range(i, x[axis] == kBatch ? 1 : x[axis]);
    spec.numbers[2 * axis] = range.start;
    spec.numbers[2 * axis + 1] = range.step;
  }
  step.append(std::move(spec), {step.input(0)});
}

}  // namespace nestling
