#include "package/step.h"

namespace nestling {

void lower(const Reshape&, LoweringStep& step) { step.append(spec_of("reshape"), {step.input(0)}); }

}  // namespace nestling
