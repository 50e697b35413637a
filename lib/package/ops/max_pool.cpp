#include "package/step.h"

namespace nestling {

void lower(const MaxPool& op, LoweringStep& step) {
  step.append(window_spec("max_pool", op), {step.input(0)});
}

}  // namespace nestling
