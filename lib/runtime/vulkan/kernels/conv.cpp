#include "runtime/vulkan/kernels/kernel.h"

namespace nestling::runtime::vulkan {

Weighing weighing_of(const Step& step, const Places& places) {
  Weighing w;
  const size_t taps = taps_of(*step.node);
  for (const Bundle& bundle : step.bundles) {
    const Bundle::Panel* before = nullptr;  // a panel that waits for its second
    for (const Bundle::Panel& panel : bundle.panels) {
      // Where the weights of both lie one behind the other they are one item.
      const auto follows = [&](size_t b) {
        const StoredWeights& first = before->blocks[b].weights;
        return panel.blocks[b].weights.data ==
               first.from(taps * panel.blocks[b].length * kPanel).data;
      };
      bool pairs = before != nullptr && before->channels == kPanel;
      for (size_t b = 0; pairs && b < panel.blocks.size(); ++b) pairs = follows(b);
      w.whole_y = w.whole_y && in_fours({bundle.y_offset + panel.first, panel.channels});
      if (pairs) {
        w.items.back()[1] += static_cast<uint32_t>(panel.channels);
        before = nullptr;
        continue;
      }
      before = &panel;
      w.items.push_back({static_cast<uint32_t>(bundle.y_offset + panel.first),
                         static_cast<uint32_t>(panel.channels),
                         static_cast<uint32_t>(w.blocks.size()),
                         static_cast<uint32_t>(panel.blocks.size())});
      for (const Bundle::Panel::Block& block : panel.blocks) {
        const auto [segment, at] = *places.place_of(block.weights.data);
        const size_t from = bundle.inputs_from(block.first).begin;
        w.blocks.push_back(
            {segment, at / 4, static_cast<uint32_t>(from), static_cast<uint32_t>(block.length)});
        w.whole = w.whole && from % 4 == 0;
        w.half = block.weights.type == WeightType::float16;
      }
    }
  }
  return w;
}

std::optional<Dispatch> conv(const Step& step, const Places& places, const Gpu& gpu, Table& table) {
  const auto found = layer_of(step, places);
  if (!found) return std::nullopt;
  const Layer& layer = *found;
  const NodeSpec& node = *step.node;
  const Image &x = layer.x, &y = layer.y;
  const Weighing w = weighing_of(step, places);
  const bool whole = w.whole && layer.whole_x(), whole_y = w.whole_y && layer.whole_y();
  const size_t pixels = y.height * y.width;
  const bool pointwise = node.kernel == std::array<uint32_t, 2>{1, 1} &&
                         node.stride == std::array<uint32_t, 2>{1, 1} &&
                         node.padding == std::array<uint32_t, 4>{};
  // A fully connected layer: one panel an invocation. Sums of more pixels share weights, but need
  // more registers than GPUs have; a CPU keeps them in its cache.
  const bool one = pixels == 1, share = gpu.rows_are_subgroups() && !one;
  const uint32_t of_pixels = one ? 1 : share && pixels >= 64 ? 8 : 4;
  const uint32_t wide = one ? 1 : 8, high = one ? 64 : 8;
  const auto item_table = static_cast<uint32_t>(table.size());
  table.insert(table.end(), w.items.begin(), w.items.end());
  const auto block_table = static_cast<uint32_t>(table.size());
  table.insert(table.end(), w.blocks.begin(), w.blocks.end());

  Push push;
  push.add(layer.x_at).add(layer.y_at).add(layer.addend).add(layer.scale).add(layer.shift);
  push.add(x.stride).add(y.stride).add(x.height).add(x.width).add(y.width);
  push.add(pixels).add(w.items.size()).add(item_table).add(block_table);
  push.add(node.kernel[0]).add(node.kernel[1]).add(node.stride[0]).add(node.stride[1]);
  push.add(node.dilation[0]).add(node.dilation[1]).add(node.padding[0]).add(node.padding[1]);
  push.add(step.low).add(step.high);
  Shader shader = share ? Shader::conv_shared : Shader::conv;
  if (gpu.half()) shader = share ? Shader::conv_shared_half : Shader::conv_half;
  return Dispatch{
      {shader, {wide, high, 1, places.segments(), of_pixels, whole, pointwise, w.half, whole_y}},
      {groups_of(groups_of(pixels, of_pixels), wide), groups_of(w.items.size(), high), 1},
      push.numbers()};
}

}  // namespace nestling::runtime::vulkan
