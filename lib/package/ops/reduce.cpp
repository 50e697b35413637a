#include "package/step.h"

namespace nestling {

void lower(const Reduce& op, LoweringStep& step) {
  runtime::NodeSpec spec = spec_of("reduce", {static_cast<int64_t>(op.function), int64_t{op.keep}});
  spec.numbers.insert(spec.numbers.end(), op.axes.begin(), op.axes.end());
  step.append(std::move(spec), {step.input(0)});
}

}  // namespace nestling
