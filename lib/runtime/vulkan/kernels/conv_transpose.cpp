#include "runtime/vulkan/kernels/kernel.h"

namespace nestling::runtime::vulkan {

std::optional<Dispatch> conv_transpose(const Step& step, const Places& places) {
  const auto layer = layer_of(step, places);
  if (!layer) return std::nullopt;
  const NodeSpec& node = *step.node;
  const Image &x = layer->x, &y = layer->y;
  const Tensor& weights = step.inputs[1];
  const bool biased = step.inputs.size() > 2;
  const auto w = places.place_of(weights.data);
  const auto bias = places.place_of(step.inputs.back().data);
  if (!w || !bias) return std::nullopt;
  const auto groups = static_cast<size_t>(node.numbers[0]);
  Push push;
  push.add(layer->x_at).add(layer->y_at).add(w->at).add(biased ? bias->at : kNone);
  push.add(w->segment).add(bias->segment);
  push.add(x.height).add(x.width).add(y.height).add(y.width);
  push.add(x.channels / groups).add(y.channels / groups).add(groups).add(x.stride).add(y.stride);
  for (const size_t stride : weights.strides) push.add(stride);
  push.add(node.kernel[0]).add(node.kernel[1]).add(node.stride[0]).add(node.stride[1]);
  push.add(node.dilation[0]).add(node.dilation[1]).add(node.padding[0]).add(node.padding[1]);
  push.add(step.low).add(step.high);
  constexpr uint32_t kWide = 8;
  return Dispatch{{Shader::conv_transpose, {kWide, kWide, 1, places.segments(), 0, 0, 0, 0}},
                  {groups_of(y.channels, kWide), groups_of(y.height * y.width, kWide), 1},
                  push.numbers()};
}

}  // namespace nestling::runtime::vulkan
