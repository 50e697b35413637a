#include "package/step.h"

namespace nestling {

void lower(const LayerNorm& op, LoweringStep& step) {
  const auto rank = static_cast<int64_t>(step.out_shape().size());
  const int64_t first = op.axis < 0 ? op.axis + rank : op.axis;
  const uint32_t centred =
      step.append_inner(spec_of("normalise", {first}, {op.epsilon}), {step.input(0)});
  if (step.node().inputs.size() < 3) {
    return step.append(spec_of(runtime::BinaryFunction::mul), {centred, step.input(1)});
  }
  const uint32_t scaled =
      step.append_inner(spec_of(runtime::BinaryFunction::mul), {centred, step.input(1)});
  step.append(spec_of(runtime::BinaryFunction::add), {scaled, step.input(2)});
}

}  // namespace nestling
