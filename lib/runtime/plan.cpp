#include "runtime/plan.h"

#include <algorithm>

namespace nestling::runtime {
namespace {

constexpr uint64_t kAlign = 16;  // floats: one cache line
constexpr uint64_t kSlackFloats = kSlack / sizeof(float);

uint64_t floats_of(const PackageHeader& header, uint32_t value, uint32_t capacity) {
  const ValueSpec& spec = header.values[value];
  const uint64_t floats = uint64_t{spec.height} * spec.width * header.channels(value, capacity);
  return (floats + kSlackFloats + kAlign - 1) / kAlign * kAlign;
}

// Channels of a value before its `slot`-th group.
size_t slot_offset(const PackageHeader& header, uint32_t value, uint32_t slot, uint32_t capacity) {
  size_t offset = 0;
  for (uint32_t s = 0; s < slot; ++s)
    offset += header.width(header.values[value].groups[s], capacity);
  return offset;
}

}  // namespace

ArenaLayout lay_out(const PackageHeader& header, uint32_t capacity) {
  const size_t count = header.values.size();
  std::vector<size_t> last_use(count, 0);
  for (size_t n = 0; n < header.nodes.size(); ++n) {
    last_use[header.nodes[n].output] = n;
    for (const uint32_t input : header.nodes[n].inputs) last_use[input] = n;
  }
  last_use[header.output] = header.nodes.size();
  ArenaLayout layout;
  layout.offsets.resize(count);
  struct Place {
    uint64_t begin, end;
    size_t last_use;
  };
  std::vector<Place> taken;  // sorted by begin
  const auto place = [&](uint32_t value) {
    const uint64_t floats = floats_of(header, value, capacity);
    // The first gap that is large enough.
    uint64_t begin = 0;
    auto at = taken.begin();
    for (; at != taken.end() && at->begin < begin + floats; ++at) begin = std::max(begin, at->end);
    taken.insert(at, {begin, begin + floats, last_use[value]});
    layout.offsets[value] = begin;
    layout.floats = std::max(layout.floats, begin + floats);
  };
  place(header.input);
  for (size_t n = 0; n < header.nodes.size(); ++n) {
    taken.erase(
        std::remove_if(taken.begin(), taken.end(), [&](const Place& p) { return p.last_use < n; }),
        taken.end());
    place(header.nodes[n].output);
  }
  for (const NodeSpec& node : header.nodes) {
    layout.zeros_floats =
        std::max<uint64_t>(layout.zeros_floats, header.channels(node.inputs[0], capacity));
  }
  layout.zeros_floats += kSlackFloats;
  layout.zeros = layout.floats;
  layout.floats += layout.zeros_floats;
  return layout;
}

Plan make_plan(const Segments& segments, uint32_t capacity, const ArenaLayout& layout,
               float* arena) {
  const PackageHeader& header = segments.header();
  const auto activation = [&](uint32_t value) {
    const ValueSpec& spec = header.values[value];
    return Activation{arena + layout.offsets[value], spec.height, spec.width,
                      header.channels(value, capacity)};
  };
  Plan plan;
  plan.input = activation(header.input);
  plan.output = activation(header.output);
  for (const NodeSpec& node : header.nodes) {
    Step& step = plan.steps.emplace_back();
    step.node = &node;
    for (const uint32_t input : node.inputs) step.inputs.push_back(activation(input));
    step.task = {&node, step.inputs[0], activation(node.output), {}, arena + layout.zeros};
  }
  // A range is found by its node, slot and capacity; blocks come range by range.
  const auto range_of = [&](uint32_t n, const Block& block) -> ConvRange& {
    const NodeSpec& node = header.nodes[n];
    const uint32_t group = header.values[node.output].groups[block.out_slot];
    const size_t y_offset = slot_offset(header, node.output, block.out_slot, capacity) +
                            header.width(group, block.range - 1);
    std::vector<ConvRange>& ranges = plan.steps[n].task.ranges;
    for (ConvRange& range : ranges) {
      if (range.y_offset == y_offset) return range;
    }
    const size_t channels = header.width(group, block.range) - header.width(group, block.range - 1);
    ranges.push_back(
        {y_offset, channels, panels(header, group, block.range), {}, nullptr, nullptr});
    return ranges.back();
  };
  for (uint32_t k = 1; k <= capacity; ++k) {
    const float* weights = segments.weights(k);
    for_each_block(header, k, [&](uint32_t n, const Block& block) {
      const NodeSpec& node = header.nodes[n];
      const float* at = weights + block.offset;
      ConvRange& range = range_of(n, block);
      switch (block.kind) {
        case Block::Kind::weights:
          if (node.own_weights && k != capacity) break;
          range.pieces.push_back(
              {at, slot_offset(header, node.inputs[0], block.in_slot, capacity) + block.in_begin,
               node.op == OpKind::depthwise ? 1 : size_t{block.in_end} - block.in_begin});
          break;
        case Block::Kind::scale:
          range.scale = at;  // of own scales the last, which is the present capacity's
          break;
        case Block::Kind::shift:
          range.shift = at;
          break;
      }
    });
  }
  return plan;
}

}  // namespace nestling::runtime
