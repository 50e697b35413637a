#include "package/step.h"

namespace nestling {

void lower(const DepthToSpace& op, LoweringStep& step) {
  step.append(spec_of("depth_to_space", {op.block, int64_t{op.column_row_depth}}), {step.input(0)});
}

}  // namespace nestling
