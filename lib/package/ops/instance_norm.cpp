#include "package/step.h"

namespace nestling {

void lower(const InstanceNorm& op, LoweringStep& step) {
  const auto constant = [&](size_t i) {
    const std::string name = step.graph().value(step.node().inputs[i]).name;
    return step.channel_constant(
        1, [name](const Graph& capacity) { return capacity.constant(find_value(capacity, name)); });
  };
  const uint32_t centred =
      step.append_inner(spec_of("normalise", {2}, {op.epsilon}), {step.input(0)});
  const uint32_t scaled =
      step.append_inner(spec_of(runtime::BinaryFunction::mul), {centred, constant(1)});
  step.append(spec_of(runtime::BinaryFunction::add), {scaled, constant(2)});
}

}  // namespace nestling
