#include "package/step.h"

namespace nestling {

void lower(const Shuffle& op, LoweringStep& step) {
  step.append(spec_of("shuffle", {op.groups}), {step.input(0)});
}

}  // namespace nestling
