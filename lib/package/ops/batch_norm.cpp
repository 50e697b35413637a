#include "package/scale_shift.h"
#include "package/step.h"

namespace nestling {

// Without a layer before it: an affine node, or, where the channels are not innermost, a product
// and a sum.
void lower(const BatchNorm&, LoweringStep& step) {
  LayerSource source;
  take_norm(source, step.graph(), step.node());
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
  const uint32_t scaled =
      step.append_inner(spec_of(runtime::BinaryFunction::mul), {step.input(0), part(true)});
  step.append(spec_of(runtime::BinaryFunction::add), {scaled, part(false)});
}

}  // namespace nestling
