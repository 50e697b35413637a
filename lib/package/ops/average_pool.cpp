#include "package/step.h"

namespace nestling {

void lower(const AveragePool& op, LoweringStep& step) {
  runtime::NodeSpec spec = window_spec("average_pool", op);
  spec.numbers = {int64_t{op.count_padding}};
  step.append(std::move(spec), {step.input(0)});
}

}  // namespace nestling
