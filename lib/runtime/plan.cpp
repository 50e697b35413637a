#include "runtime/plan.h"

#include <algorithm>

#include "runtime/winograd.h"

namespace nestling::runtime {
namespace {

constexpr uint64_t kSlackFloats = kSlack / sizeof(float);

uint64_t floats_of(const PackageHeader& header, uint32_t value, uint32_t capacity) {
  const uint64_t floats = element_count(header.shape(value, capacity));
  return align_floats(floats + kSlackFloats);
}

// What a thread needs for itself to run a layer.
uint64_t scratch_floats(const PackageHeader& header, const NodeSpec& node, uint32_t capacity) {
  const Weights weights = find_operator(node.op)->weights;
  if (weights != Weights::dense && weights != Weights::depthwise) return 0;
  const Tensor x(nullptr, header.shape(node.inputs[0], capacity));
  const Tensor y(nullptr, header.shape(node.output, capacity));
  const ConvTask task{&node, 0, 0, image(x, 0), image(y, 0), nullptr, nullptr, nullptr};
  const bool dense = weights == Weights::dense;
  return dense && winograd_pays(task) ? winograd_scratch(task) : conv_scratch(task);
}

// Places of a value's channel axis before its `slot`-th run.
size_t slot_offset(const PackageHeader& header, uint32_t value, uint32_t slot, uint32_t capacity) {
  size_t offset = 0;
  for (uint32_t s = 0; s < slot; ++s) {
    offset += header.run_size(header.channels(value).runs[s], capacity);
  }
  return offset;
}

}  // namespace

ArenaLayout lay_out(const PackageHeader& header, uint32_t capacity, size_t threads) {
  const size_t count = header.values.size();
  const std::vector<Stage> stages = stages_of(header);
  std::vector<size_t> last_use(count, 0);
  for (size_t s = 0; s < stages.size(); ++s) {
    last_use[stages[s].output] = s;
    for (const uint32_t input : stages[s].inputs) last_use[input] = s;
  }
  for (const uint32_t output : header.outputs) last_use[output] = stages.size();
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
  for (const uint32_t input : header.inputs) place(input);
  for (size_t s = 0; s < stages.size(); ++s) {
    taken.erase(
        std::remove_if(taken.begin(), taken.end(), [&](const Place& p) { return p.last_use < s; }),
        taken.end());
    place(stages[s].output);
  }
  uint64_t scratch = 0;
  for (const NodeSpec& node : header.nodes) {
    if (find_operator(node.op)->weights == Weights::none) continue;
    scratch = std::max(scratch, scratch_floats(header, node, capacity));
    layout.zeros_floats = std::max<uint64_t>(
        layout.zeros_floats, header.axis_size(header.channels(node.inputs[0]), capacity));
  }
  layout.zeros_floats += kSlackFloats;
  layout.zeros = layout.floats;
  layout.scratch = align_floats(layout.zeros + layout.zeros_floats);
  layout.floats = layout.scratch + threads * align_floats(scratch);
  return layout;
}

Plan make_plan(const Segments& segments, uint32_t capacity, const ArenaLayout& layout,
               float* arena) {
  const PackageHeader& header = segments.header();
  std::vector<Tensor> tensors;
  for (uint32_t v = 0; v < header.values.size(); ++v) {
    tensors.emplace_back(arena + layout.offsets[v], header.shape(v, capacity));
  }
  const auto find_constants = [&](uint32_t of_capacity, Storage storage) {
    const float* segment = segments.weights(of_capacity);
    SegmentVisitor visitor;
    visitor.constant = [&](uint32_t value, uint64_t offset) {
      if (header.values[value].storage != storage) return;
      tensors[value].data = const_cast<float*>(segment + offset);  // which nobody writes to
    };
    for_each_part(header, of_capacity, visitor);
  };
  find_constants(1, Storage::shared);
  find_constants(capacity, Storage::own);

  Plan plan;
  for (const uint32_t input : header.inputs) plan.inputs.push_back(tensors[input]);
  for (const uint32_t output : header.outputs) plan.outputs.push_back(tensors[output]);
  std::vector<size_t> step_of(header.nodes.size(), 0);
  for (const Stage& stage : stages_of(header)) {
    step_of[stage.node] = plan.steps.size();
    Step& step = plan.steps.emplace_back();
    step.node = &header.nodes[stage.node];
    step.op = find_operator(step.node->op);
    for (const uint32_t input : stage.inputs) step.inputs.push_back(tensors[input]);
    step.y = tensors[stage.output];
    step.low = stage.low;
    step.high = stage.high;
    step.then = stage.then;
    step.zeros = arena + layout.zeros;
    step.scratch = arena + layout.scratch;
  }
  // A range is found by where it begins; blocks come range by range.
  const auto range_of = [&](uint32_t n, const Block& block) -> ConvRange& {
    const NodeSpec& node = header.nodes[n];
    const RunSpec& run = header.channels(node.output).runs[block.out_slot];
    const size_t before = header.run_size(run, block.range - 1);
    const size_t y_offset = slot_offset(header, node.output, block.out_slot, capacity) + before;
    std::vector<ConvRange>& ranges = plan.steps[step_of[n]].ranges;
    for (ConvRange& range : ranges) {
      if (range.y_offset == y_offset) return range;
    }
    const size_t channels = header.run_size(run, block.range) - before;
    ranges.push_back({y_offset, channels, panels(header, run, block.range), {}, nullptr, nullptr});
    return ranges.back();
  };
  for (uint32_t k = 1; k <= capacity; ++k) {
    const float* segment = segments.weights(k);
    SegmentVisitor visitor;
    visitor.block = [&](uint32_t n, const Block& block) {
      const NodeSpec& node = header.nodes[n];
      const float* at = segment + block.offset;
      ConvRange& range = range_of(n, block);
      switch (block.kind) {
        case Block::Kind::weights: {
          if (node.own_weights && k != capacity) break;
          const bool dense = block.in_end > block.in_begin;
          const size_t x_offset =
              dense ? slot_offset(header, node.inputs[0], block.in_slot, capacity) + block.in_begin
                    : 0;
          range.pieces.push_back({at, x_offset, dense ? block.in_end - block.in_begin : size_t{1}});
          break;
        }
        case Block::Kind::scale:
          range.scale = at;  // of own scales the last, which is the present capacity's
          break;
        case Block::Kind::shift:
          range.shift = at;
          break;
      }
    };
    for_each_part(header, k, visitor);
  }
  return plan;
}

}  // namespace nestling::runtime
