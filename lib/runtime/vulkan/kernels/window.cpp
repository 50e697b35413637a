#include <string_view>

#include "runtime/vulkan/kernels/kernel.h"

namespace nestling::runtime::vulkan {

namespace {

enum class Window : uint32_t { depthwise = 0, maximum = 1, average = 2, affine = 3 };

Window kind_of(std::string_view op) {
  if (op == "depthwise") return Window::depthwise;
  if (op == "max_pool") return Window::maximum;
  return op == "average_pool" ? Window::average : Window::affine;
}

}  // namespace

std::optional<Dispatch> window(const Step& step, const Places& places) {
  const auto found = layer_of(step, places);
  if (!found) return std::nullopt;
  const Layer& layer = *found;
  const Window kind = kind_of(step.op->name);
  const NodeSpec& node = *step.node;
  const Image &x = layer.x, &y = layer.y;
  const uint32_t weights = kind == Window::depthwise ? *places.in_arena(step.channel_weights) : 0;
  const bool whole = layer.whole_x() && layer.whole_y() && in_fours({y.channels});
  const size_t channels = whole ? y.channels / 4 : y.channels;
  const size_t pixels = y.height * y.width;
  const uint32_t wide = channels >= 8 ? 8 : 1, high = 64 / wide;
  Push push;
  push.add(layer.x_at).add(layer.y_at).add(layer.addend).add(layer.scale).add(layer.shift);
  push.add(weights).add(x.stride).add(y.stride).add(x.height).add(x.width).add(y.width);
  push.add(pixels).add(y.channels).add(padded_row(y.channels));
  push.add(node.kernel[0]).add(node.kernel[1]).add(node.stride[0]).add(node.stride[1]);
  push.add(node.dilation[0]).add(node.dilation[1]);
  for (const uint32_t side : node.padding) push.add(side);
  push.add(step.low).add(step.high);
  push.add(kind == Window::average ? node.numbers[0] : 0);
  constexpr uint32_t kPixels = 4;  // of a row
  const bool in_rows = kind == Window::depthwise && whole && node.dilation[0] == 1 &&
                       node.dilation[1] == 1 && node.kernel[1] <= 7 && node.stride[1] <= 2;
  if (in_rows) {
    const size_t parts = y.height * ((y.width + kPixels - 1) / kPixels);
    return Dispatch{{Shader::depthwise,
                     {wide, high, 1, places.segments(), kPixels, node.kernel[1], node.stride[1]}},
                    {groups_of(channels, wide), groups_of(parts, high), 1},
                    push.numbers()};
  }
  return Dispatch{{Shader::window,
                   {wide, high, 1, places.segments(), static_cast<uint32_t>(kind), whole, 0, 0}},
                  {groups_of(channels, wide), groups_of(pixels, high), 1},
                  push.numbers()};
}

}  // namespace nestling::runtime::vulkan
