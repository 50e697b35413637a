#include "package/step.h"

namespace nestling {

// A product with a number for each channel is a layer without weights, which takes in a sum.
void lower(const Binary& op, LoweringStep& step) {
  using F = Binary::Function;
  using R = runtime::BinaryFunction;
  const auto function = [&] {
    switch (op.function) {
      case F::add:
        return R::add;
      case F::sub:
        return R::sub;
      case F::mul:
        return R::mul;
      case F::div:
        return R::div;
      case F::max:
        return R::max;
      case F::min:
        return R::min;
      case F::pow:
        return R::pow;
      case F::prelu:
        return R::prelu;
    }
    return R::add;
  };
  if (const int by = channel_operand(step.graph(), step.node(), F::mul); by >= 0) {
    LayerSource source;
    source.scale = step.graph().value(step.node().inputs[static_cast<size_t>(by)]).name;
    runtime::NodeSpec spec = spec_of("affine");
    spec.inputs = {step.input(by == 0 ? 1 : 0)};
    return step.append_layer(std::move(spec), std::move(source));
  }
  step.append(spec_of(function()), {step.input(0), step.input(1)});
}

}  // namespace nestling
