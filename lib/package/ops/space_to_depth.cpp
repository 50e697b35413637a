#include "package/step.h"

namespace nestling {

void lower(const SpaceToDepth& op, LoweringStep& step) {
  step.append(spec_of("space_to_depth", {op.block}), {step.input(0)});
}

}  // namespace nestling
