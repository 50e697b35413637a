#include "package/step.h"

namespace nestling {

void lower(const Slice& op, LoweringStep& step) {
  const Shape& x = step.in_shape(0);
  std::vector<Slice::Range> ranges(x.size(), {0, 1, 0});
  for (size_t i = 0; i < op.axes.size(); ++i) {
    const auto axis = static_cast<size_t>(op.axes[i]);
    ranges[axis] = op.range(i, x[axis] == kBatch ? 1 : x[axis]);
  }
  runtime::NodeSpec spec = spec_of("slice");
  std::vector<uint32_t> inputs{step.input(0)};
  for (size_t axis = 0; axis < x.size(); ++axis) {
    const auto [start, by, count] = ranges[axis];
    const std::vector<uint32_t> before = step.leading_parts(axis, start);
    inputs.insert(inputs.end(), before.begin(), before.end());
    spec.numbers.insert(spec.numbers.end(),
                        {before.empty() ? start : 0, by, static_cast<int64_t>(before.size())});
  }
  step.append(std::move(spec), std::move(inputs));
}

}  // namespace nestling
