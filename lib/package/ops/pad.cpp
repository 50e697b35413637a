#include "package/step.h"

namespace nestling {

void lower(const Pad& op, LoweringStep& step) {
  runtime::NodeSpec spec = spec_of("pad", {static_cast<int64_t>(op.mode)}, {op.value});
  for (size_t axis = 0; axis < op.before.size(); ++axis) {
    spec.numbers.insert(spec.numbers.end(), {op.before[axis], op.after[axis]});
  }
  step.append(std::move(spec), {step.input(0)});
}

}  // namespace nestling
