// Convolutions of 3x3 with fewer multiplications: shaders/winograd.glsl.
#include "runtime/winograd.h"

#include "runtime/vulkan/kernels/kernel.h"

namespace nestling::runtime::vulkan {
namespace {

constexpr uint32_t kOutputs = 4, kPlaces = 36, kGroup = 16;  // as in the shaders

// Rows of transformed weights, by block {row, rows}, in fours: none if those of a block would meet
// channels of the inputs that are not its own.
struct Rows {
  Table blocks;        // Weighing's, with these behind each
  uint32_t count = 0;  // of all items
  uint32_t most = 0;   // of one
};
std::optional<Rows> rows_of(const Weighing& w, size_t channels) {
  Rows rows;
  for (const auto& item : w.items) {
    const uint32_t before = rows.count;
    for (uint32_t b = item[2]; b < item[2] + item[3]; ++b) {
      const auto& block = w.blocks[b];
      if (block[3] % 4 != 0 && block[2] + block[3] != channels) return std::nullopt;
      const uint32_t count = (block[3] + 3) / 4 * 4;
      rows.blocks.push_back(block);
      rows.blocks.push_back({rows.count, count});
      rows.count += count;
    }
    rows.most = std::max(rows.most, rows.count - before);
  }
  return rows;
}

}  // namespace

std::optional<std::vector<Dispatch>> winograd(const Step& step, const Places& places,
                                              const Gpu& gpu, Needs& needs) {
  const Winograd use = gpu.winograd();
  if (step.op->weights != Weights::dense || !is_winograd(*step.node) || gpu.half() ||
      use == Winograd::never) {
    return std::nullopt;
  }
  const auto found = layer_of(step, places);
  if (!found) return std::nullopt;
  const Layer& layer = *found;
  const Image &x = layer.x, &y = layer.y;
  const size_t across = groups_of(y.width, kOutputs);
  const size_t tiles = across * groups_of(y.height, kOutputs);
  // For each pair of an input and an output channel, in multiplications: transformed weights are
  // written and read, with what a GPU could compute in that time.
  constexpr size_t kTransform = 2400;
  const size_t direct = 9 * y.height * y.width;
  if (use == Winograd::where_it_pays && kPlaces * tiles + kTransform > direct) return std::nullopt;
  const Weighing w = weighing_of(step, places);
  const auto rows = rows_of(w, x.channels);
  if (!w.whole || !rows || rows->most == 0) return std::nullopt;

  const size_t channels = (x.channels + 3) / 4 * 4;
  const size_t inputs = kPlaces * tiles * channels, weight_plane = size_t{rows->count} * kGroup,
               weights = kPlaces * weight_plane, sums = kPlaces * tiles * w.items.size() * kGroup;
  const size_t scratch = inputs + weights + sums;
  if (scratch > gpu.limits().maxStorageBufferRange / sizeof(float)) return std::nullopt;
  constexpr size_t kShare = 4;  // of the arena and the segments
  if (use == Winograd::where_it_pays && scratch > places.floats() / kShare) return std::nullopt;
  needs.scratch = std::max<uint64_t>(needs.scratch, scratch);
  const auto item_table = static_cast<uint32_t>(needs.table.size());
  needs.table.insert(needs.table.end(), w.items.begin(), w.items.end());
  const auto block_table = static_cast<uint32_t>(needs.table.size());
  needs.table.insert(needs.table.end(), rows->blocks.begin(), rows->blocks.end());

  constexpr uint32_t kWide = 8, kHigh = 8;  // of a workgroup
  const auto items = static_cast<uint32_t>(w.items.size());
  Push of_weights;
  of_weights.add(item_table).add(block_table).add(items).add(inputs).add(weight_plane);
  const Dispatch transform_weights{
      {Shader::winograd_weights, {kWide, kHigh, 1, places.segments(), w.half}},
      {groups_of(kGroup, kWide), groups_of(rows->most, kHigh), items},
      of_weights.numbers()};
  Push of_inputs;
  of_inputs.add(layer.x_at).add(x.stride).add(x.height).add(x.width).add(x.channels);
  of_inputs.add(step.node->padding[0]).add(step.node->padding[1]);
  of_inputs.add(across).add(tiles).add(0).add(channels);
  const Dispatch transform_inputs{{Shader::winograd_inputs, {kWide, kHigh, 1, places.segments()}},
                                  {groups_of(channels, kWide), groups_of(tiles, kHigh), 1},
                                  of_inputs.numbers()};
  const bool share = gpu.rows_are_subgroups();
  // As many tiles share weights as leave few invocations of a workgroup without any.
  uint32_t together = share ? 8 : 4;
  const auto slots = [&] { return size_t{groups_of(tiles, kWide * together)} * kWide * together; };
  while (together > 1 && slots() * 5 > tiles * 7) together /= 2;
  Push of_sums;
  of_sums.add(item_table).add(block_table).add(items).add(tiles).add(0).add(channels);
  of_sums.add(inputs).add(weight_plane).add(inputs + weights);
  Dispatch multiply{
      {share ? Shader::winograd_multiply_shared : Shader::winograd_multiply,
       {kWide, kHigh, 1, places.segments(), together}},
      {groups_of(groups_of(tiles, together), kWide), groups_of(items, kHigh), kPlaces},
      of_sums.numbers()};
  multiply.waits = true;
  Push of_outputs;
  of_outputs.add(item_table).add(items).add(across).add(tiles).add(inputs + weights);
  of_outputs.add(layer.y_at).add(layer.addend).add(layer.scale).add(layer.shift);
  of_outputs.add(y.stride).add(y.height).add(y.width).add(step.low).add(step.high);
  Dispatch transform_sums{{Shader::winograd_outputs, {kWide, kHigh, 1, places.segments()}},
                          {groups_of(size_t{items} * kGroup, kWide), groups_of(tiles, kHigh), 1},
                          of_outputs.numbers()};
  transform_sums.waits = true;
  return std::vector{transform_weights, transform_inputs, multiply, transform_sums};
}

}  // namespace nestling::runtime::vulkan
