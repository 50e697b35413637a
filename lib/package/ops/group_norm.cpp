#include "package/step.h"

namespace nestling {

void lower(const GroupNorm& op, LoweringStep& step) {
  step.append(spec_of("normalise", {1, op.size}, {op.epsilon}), {step.input(0)});
}

}  // namespace nestling
