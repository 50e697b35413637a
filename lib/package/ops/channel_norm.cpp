#include "package/step.h"

namespace nestling {

void lower(const ChannelNorm& op, LoweringStep& step) {
  step.append(spec_of("normalise", {1, 0, 2}, {op.epsilon}), {step.input(0)});
}

}  // namespace nestling
