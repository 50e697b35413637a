#include "package/step.h"

namespace nestling {

void lower(const Lrn& op, LoweringStep& step) {
  step.append(spec_of("lrn", {op.size}, {op.alpha, op.beta, op.bias}), {step.input(0)});
}

}  // namespace nestling
