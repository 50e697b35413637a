#include "package/step.h"

namespace nestling {

void lower(const ArgMax& op, LoweringStep& step) {
  step.append(spec_of("arg_max", {op.axis, int64_t{op.keep}, int64_t{op.last}}), {step.input(0)});
}

}  // namespace nestling
