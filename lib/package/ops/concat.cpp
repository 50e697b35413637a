#include "package/step.h"

namespace nestling {

void lower(const Concat& op, LoweringStep& step) {
  std::vector<uint32_t> parts;
  for (size_t i = 0; i < step.node().inputs.size(); ++i) parts.push_back(step.input(i));
  step.append(spec_of("concat", {op.axis}), std::move(parts));
}

}  // namespace nestling
