#include "package/step.h"

namespace nestling {

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
  step.append(spec_of(function()), {step.input(0), step.input(1)});
}

}  // namespace nestling
