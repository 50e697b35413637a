#include "package/step.h"

namespace nestling {

void lower(const Transpose& op, LoweringStep& step) {
  step.append(spec_of("transpose", op.order), {step.input(0)});
}

}  // namespace nestling
