#include "package/step.h"

namespace nestling {

// Its weights are constants that every capacity has for itself.
void lower(const ConvTranspose& op, LoweringStep& step) {
  runtime::NodeSpec spec = window_spec("conv_transpose", op);
  spec.numbers = {op.groups};
  std::vector<uint32_t> inputs;
  for (size_t i = 0; i < step.node().inputs.size(); ++i) inputs.push_back(step.input(i));
  step.append(std::move(spec), std::move(inputs));
}

}  // namespace nestling
