#include "package/step.h"

namespace nestling {

void lower(const Softmax& op, LoweringStep& step) {
  step.append(spec_of("softmax", {op.axis, int64_t{op.log}}), {step.input(0)});
}

}  // namespace nestling
