#include "package/step.h"

namespace nestling {

void lower(const MatMul&, LoweringStep& step) {
  step.append(spec_of("matmul"), {step.input(0), step.input(1)});
}

}  // namespace nestling
