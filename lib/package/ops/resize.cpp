#include "package/step.h"

namespace nestling {

void lower(const Resize& op, LoweringStep& step) {
  runtime::NodeSpec spec = spec_of("resize");
  for (size_t direction = 0; direction < 2; ++direction) {
    for (int64_t i = 0; i < op.size[direction]; ++i) {
      const Resize::Taps taps = op.taps(direction, step.in_shape(0)[direction + 2], i);
      spec.numbers.insert(spec.numbers.end(), {taps.low, taps.high});
      spec.reals.push_back(taps.part);
    }
  }
  step.append(std::move(spec), {step.input(0)});
}

}  // namespace nestling
