#include "runtime/vulkan/kernels/kernel.h"

namespace nestling::runtime::vulkan {

std::optional<Dispatch> resize(const Step& step, const Places& places, Table& table) {
  const auto layer = layer_of(step, places);
  if (!layer) return std::nullopt;
  const Image &x = layer->x, &y = layer->y;
  const auto at = static_cast<uint32_t>(table.size());
  for (size_t i = 0; i < y.height + y.width; ++i) {
    table.push_back({static_cast<uint32_t>(step.node->numbers[2 * i]),
                     static_cast<uint32_t>(step.node->numbers[2 * i + 1]),
                     std::bit_cast<uint32_t>(step.node->reals[i]), 0});
  }
  Push push;
  push.add(layer->x_at).add(layer->y_at).add(x.width).add(y.width).add(y.height);
  push.add(y.channels).add(x.stride).add(y.stride).add(at).add(step.low).add(step.high);
  constexpr uint32_t kWide = 8;
  return Dispatch{{Shader::resize, {kWide, kWide, 1, places.segments(), 0, 0, 0, 0}},
                  {groups_of(y.channels, kWide), groups_of(y.height * y.width, kWide), 1},
                  push.numbers()};
}

}  // namespace nestling::runtime::vulkan
