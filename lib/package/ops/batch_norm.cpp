#include "runtime/functions.h"

#include "package/scale_shift.h"
#include "package/step.h"

namespace nestling {

// Without a layer before it: an affine node, or, where the channels are not innermost, a product
// and a sum.
void lower(const BatchNorm& op, LoweringStep& step) {
  const auto name = [&](size_t i) { return step.graph().value(step.node().inputs[i]).name; };
  const LayerSource source{"", "", name(1), name(2), name(3), name(4), op.epsilon};
  if (step.out_shape().size() == 2 || step.out_shape().size() == 4) {
    return step.append_layer(spec_of("affine"), source);
  }
  const auto part = [&](bool scale) {
    return step.channel_constant(1, [source, scale](const Graph& capacity) {
      const auto channels = capacity.constant(find_value(capacity, source.scale)).data.size();
      Tensor result{{}, {}};
      for (size_t c = 0; c < channels; ++c) {
        const ScaleShift both = scale_shift(capacity, source, c);
        result.data.push_back(static_cast<float>(scale ? both.scale : both.shift));
      }
      return result;
    });
  };
  const auto mul = static_cast<int64_t>(runtime::BinaryFunction::mul);
  const auto add = static_cast<int64_t>(runtime::BinaryFunction::add);
  const uint32_t scaled = step.append_inner(spec_of("binary", {mul}), {step.input(0), part(true)});
  step.append(spec_of("binary", {add}), {scaled, part(false)});
}

}  // namespace nestling
