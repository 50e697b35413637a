#include "runtime/vulkan/kernels/kernel.h"

namespace nestling::runtime::vulkan {

std::optional<Dispatch> conv(const Step& step, const Places& places, Table& table) {
  const auto found = layer_of(step, places);
  if (!found) return std::nullopt;
  const Layer& layer = *found;
  const NodeSpec& node = *step.node;
  const Image &x = layer.x, &y = layer.y;
  Table panels, blocks;
  bool whole = in_fours({layer.x_at, x.stride});
  bool half = false;
  for (const Bundle& bundle : step.bundles) {
    for (const Bundle::Panel& panel : bundle.panels) {
      panels.push_back({static_cast<uint32_t>(bundle.y_offset + panel.first),
                        static_cast<uint32_t>(panel.channels), static_cast<uint32_t>(blocks.size()),
                        static_cast<uint32_t>(panel.blocks.size())});
      for (const Bundle::Panel::Block& block : panel.blocks) {
        const auto [segment, at] = *places.place_of(block.weights.data);
        const size_t from = bundle.inputs_from(block.first).begin;
        blocks.push_back(
            {segment, at / 4, static_cast<uint32_t>(from), static_cast<uint32_t>(block.length)});
        whole = whole && from % 4 == 0;
        half = block.weights.type == WeightType::float16;
      }
    }
  }
  const size_t pixels = y.height * y.width;
  const bool pointwise = node.kernel == std::array<uint32_t, 2>{1, 1} &&
                         node.stride == std::array<uint32_t, 2>{1, 1} &&
                         node.padding == std::array<uint32_t, 4>{};
  const uint32_t of_pixels = pixels == 1 ? 1 : 4;
  const uint32_t wide = pixels == 1 ? 1 : 8, high = pixels == 1 ? 64 : 8;
  const auto panel_table = static_cast<uint32_t>(table.size());
  table.insert(table.end(), panels.begin(), panels.end());
  const auto block_table = static_cast<uint32_t>(table.size());
  table.insert(table.end(), blocks.begin(), blocks.end());

  Push push;
  push.add(layer.x_at).add(layer.y_at).add(layer.addend).add(layer.scale).add(layer.shift);
  push.add(x.stride).add(y.stride).add(x.height).add(x.width).add(y.width);
  push.add(pixels).add(panels.size()).add(panel_table).add(block_table);
  push.add(node.kernel[0]).add(node.kernel[1]).add(node.stride[0]).add(node.stride[1]);
  push.add(node.dilation[0]).add(node.dilation[1]).add(node.padding[0]).add(node.padding[1]);
  push.add(step.low).add(step.high);
  return Dispatch{
      {Shader::conv, {wide, high, 1, places.segments(), of_pixels, whole, pointwise, half}},
      {groups_of(groups_of(pixels, of_pixels), wide), groups_of(panels.size(), high), 1},
      push.numbers()};
}

}  // namespace nestling::runtime::vulkan
