#include "runtime/plan.h"

#include <algorithm>

#include "runtime/layer.h"
#include "runtime/strides.h"

namespace nestling::runtime {
namespace {

constexpr uint64_t kSlackFloats = kSlack / sizeof(float);

// With all places between the channels of an image, if runs of them do not follow each other.
std::vector<uint32_t> placed_shape(const PackageHeader& header, const Places& places,
                                   uint32_t value, uint32_t capacity) {
  std::vector<uint32_t> shape = header.shape(value, capacity);
  if (places.strides[value] > 0) shape[1] = places.channels(header, value, capacity);
  return shape;
}

// A layer at a capacity, as far as sizes go.
class Sizes {
 public:
  Sizes(const PackageHeader& header, const Places& places, const NodeSpec& node, uint32_t capacity,
        const std::vector<Bundle>& bundles)
      : x_(nullptr, placed_shape(header, places, node.inputs[0], capacity),
           places.strides[node.inputs[0]]),
        y_(nullptr, placed_shape(header, places, node.output, capacity),
           places.strides[node.output]) {
    task_.node = &node;
    task_.x = image(x_, 0);
    task_.y = image(y_, 0);
    task_.bundles = &bundles;
  }
  const ConvTask& task() const { return task_; }

 private:
  Tensor x_, y_;
  ConvTask task_{};
};

bool is_possible(const PackageHeader& header, const ConvTask& task, ConvMethod method) {
  switch (method) {
    case ConvMethod::direct:
      return true;
    case ConvMethod::winograd:
      return winograd_fits(task);
    case ConvMethod::half:
      if constexpr (kHalves) {
        return arithmetic_of(header) == WeightType::float16 && half_pays(task);
      }
  }
  return false;
}

ConvMethod method_of(const PackageHeader& header, const ConvTask& task) {
  if (winograd_pays(task)) return ConvMethod::winograd;
  return is_possible(header, task, ConvMethod::half) ? ConvMethod::half : ConvMethod::direct;
}

// What threads need to run a layer.
uint64_t scratch_floats(const Sizes& sizes, ConvMethod method, size_t threads) {
  const ConvTask& task = sizes.task();
  if constexpr (kHalves) {
    if (method == ConvMethod::half) {
      return half_floats(task) + threads * align_floats(half_scratch(task));
    }
  }
  return threads *
         align_floats(method == ConvMethod::winograd ? winograd_scratch(task) : conv_scratch(task));
}

// What a layer has of its own in the arena: scales, shifts, and depthwise weights, which blocks
// have in pieces.
struct Constants {
  uint64_t scale = 0, weights = 0;  // floats; there are as many shifts as scales
  uint64_t floats() const { return 2 * scale + weights; }
};
Constants constants_of(const PackageHeader& header, const Places& places, const NodeSpec& node,
                       uint32_t capacity) {
  const Weights weights = find_operator(node.op)->weights;
  if (weights == Weights::none) return {};
  const uint64_t channels = places.channels(header, node.output, capacity);
  Constants constants;
  constants.scale = padded_row(channels);
  if (weights == Weights::depthwise) {
    constants.weights = constants.scale * taps_of(node);
  }
  return constants;
}

// The output channels of a block, and where its input channels begin.
struct Range {
  size_t y_offset, channels, x_offset;
};
Range range_of(const PackageHeader& header, const Places& places, uint32_t n, const Block& block,
               uint32_t capacity) {
  const NodeSpec& node = header.nodes[n];
  const RunSpec& run = header.channels(node.output).runs[block.out_slot];
  const size_t before = header.run_size(run, block.range - 1);
  Range range{places.first_channel(header, node.output, block.out_slot, capacity) + before,
              header.run_size(run, block.range) - before, 0};
  if (block.is_dense()) {
    range.x_offset =
        places.first_channel(header, node.inputs[0], block.in_slot, capacity) + block.in_begin;
  }
  return range;
}

void add_piece(std::vector<ConvRange>& ranges, const Range& range, const ConvPiece& piece) {
  const auto at = std::find_if(ranges.begin(), ranges.end(),
                               [&](const ConvRange& r) { return r.y_offset >= range.y_offset; });
  const bool there = at != ranges.end() && at->y_offset == range.y_offset;
  ConvRange& to = there ? *at : *ranges.insert(at, {range.y_offset, range.channels, {}});
  const auto behind = std::find_if(to.pieces.begin(), to.pieces.end(),
                                   [&](const ConvPiece& p) { return p.x_offset > piece.x_offset; });
  to.pieces.insert(behind, piece);
}

// From the panels of a range, [panel][tap][kPanel], to rows of all channels (ConvTask).
void gather_channels(const NodeSpec& node, const Range& range, const float* from, float* to,
                     size_t row) {
  const size_t taps = taps_of(node);
  for (size_t c = 0; c < range.channels; ++c) {
    for (size_t tap = 0; tap < taps; ++tap) {
      to[tap * row + range.y_offset + c] = from[(c / kPanel * taps + tap) * kPanel + c % kPanel];
    }
  }
}

// Whether a block in segment `k` is part of what `capacity` has.
bool is_of(const NodeSpec& node, const Block& block, uint32_t k, uint32_t capacity) {
  return k == capacity || !(block.kind == Block::Kind::weights ? node.own_weights : node.own_scale);
}

// The dense weights of every node, of the output channels that capacities from `first` on have
// added; without segments only their sizes.
std::vector<std::vector<Bundle>> all_bundles(const PackageHeader& header, const Places& places,
                                             uint32_t first, uint32_t capacity,
                                             const Segments* segments) {
  std::vector<std::vector<ConvRange>> ranges(header.nodes.size());  // by y_offset
  for (uint32_t k = 1; k <= capacity; ++k) {
    const float* base = segments == nullptr ? nullptr : segments->weights(k);
    SegmentVisitor visitor;
    visitor.block = [&](uint32_t n, const Block& block) {
      if (!block.is_dense()) return;
      if (block.range < first || !is_of(header.nodes[n], block, k, capacity)) return;
      const Range range = range_of(header, places, n, block, capacity);
      add_piece(ranges[n], range,
                {{base == nullptr ? nullptr : base + block.offset, header.weights},
                 range.x_offset,
                 block.in_end - block.in_begin});
    };
    for_each_part(header, k, visitor);
  }
  std::vector<std::vector<Bundle>> bundles;
  for (size_t n = 0; n < ranges.size(); ++n) {
    const size_t taps = taps_of(header.nodes[n]);
    bundles.push_back(bundles_of(ranges[n], taps));
    // What is in pieces and small. Larger layers, and float16, are packed a little at a time, in
    // every inference, so that a model takes no more memory than its package.
    constexpr size_t kMostFloats = size_t{1} << 18;
    for (Bundle& bundle : bundles.back()) {
      bundle.ahead = !bundle.direct && header.weights == WeightType::float32 &&
                     taps * bundle.depth * bundle.channels <= kMostFloats;
    }
  }
  return bundles;
}

}  // namespace

WeightType arithmetic_of(const PackageHeader& header) {
  if constexpr (kHalves) {
    if (header.arithmetic == WeightType::float16 && computes_halves()) return WeightType::float16;
  }
  return WeightType::float32;
}

ArenaLayout lay_out(const PackageHeader& header, uint32_t capacity, size_t threads, bool refinable,
                    bool pairs, const Methods& wanted) {
  ArenaLayout layout;
  layout.capacity = capacity;
  layout.refinable = refinable;
  layout.stages =
      stages_of(header, pairs && !refinable && arithmetic_of(header) == WeightType::float32);
  layout.values = place_values(header, layout.stages, capacity, refinable);
  // Blocks are a node's; what a stage adds to, or multiplies, lies where its result does.
  for (const Stage& stage : layout.stages) {
    layout.values.strides[header.nodes[stage.node].output] = layout.values.strides[stage.output];
    if (!stage.depthwise) continue;
    const uint32_t between = header.nodes[*stage.depthwise].output;
    layout.values.strides[between] = pixel_stride(header.shape(between, capacity)[1]);
  }
  layout.zeros = layout.values.floats;
  layout.methods.resize(header.nodes.size());
  layout.constants.resize(capacity, 0);
  uint64_t scratch = 0, constants = 0;
  for (uint32_t k = capacity; k > 0 && (refinable || k == capacity); --k) {
    layout.constants[k - 1] = constants;
    const std::vector<std::vector<Bundle>> bundles =
        all_bundles(header, layout.values, 1, k, nullptr);
    auto added = refinable ? all_bundles(header, layout.values, k, k, nullptr)
                           : std::vector<std::vector<Bundle>>{};
    for (uint32_t n = 0; n < header.nodes.size(); ++n) {
      const NodeSpec& node = header.nodes[n];
      const Weights weights = find_operator(node.op)->weights;
      if (weights == Weights::none) continue;
      for (const Bundle& bundle : bundles[n]) {
        if (bundle.ahead) constants += align_floats(packed_floats(bundle, taps_of(node)));
      }
      constants += constants_of(header, layout.values, node, k).floats();
      layout.zeros_floats = std::max<uint64_t>(layout.zeros_floats,
                                               layout.values.channels(header, node.inputs[0], k));
      if (weights == Weights::scale) continue;
      const Sizes sizes(header, layout.values, node, k, bundles[n]);
      // Smaller capacities do as the largest: so they compute the same.
      if (k == capacity && weights == Weights::dense) {
        const bool as_wanted = n < wanted.size() && is_possible(header, sizes.task(), wanted[n]);
        layout.methods[n] = as_wanted ? wanted[n] : method_of(header, sizes.task());
      }
      scratch = std::max(scratch, scratch_floats(sizes, layout.methods[n], threads));
      if (!refinable) continue;
      for (Bundle& bundle : added[n]) bundle.ahead = false;  // continuations_of
      const Sizes of_added(header, layout.values, node, k, added[n]);
      scratch = std::max(scratch, scratch_floats(of_added, layout.methods[n], threads));
    }
    for (const Stage& stage : layout.stages) {
      if (!stage.depthwise) continue;
      const auto sizes = [&](uint32_t n) {
        return Sizes(header, layout.values, header.nodes[n], k, bundles[n]);
      };
      const uint64_t floats =
          pair_scratch(sizes(*stage.depthwise).task(), sizes(stage.node).task());
      scratch = std::max<uint64_t>(scratch, threads * align_floats(floats));
    }
  }
  layout.zeros_floats += kSlackFloats;
  const uint64_t begin = align_floats(layout.zeros + layout.zeros_floats);
  for (uint64_t& offset : layout.constants) offset += begin;
  layout.scratch = begin + constants;
  layout.floats = layout.scratch + scratch;
  return layout;
}

namespace {

// A step that computes every channel by itself, for some of them at a time.
std::vector<Step> steps_of(const Step& all, const std::vector<Bundle::Interval>& channels) {
  std::vector<Step> steps(channels.size(), all);
  for (size_t i = 0; i < steps.size(); ++i) {
    Step& step = steps[i];
    const auto cut = [&](Tensor& t) {
      t.data += channels[i].begin;
      t.shape[1] = static_cast<uint32_t>(channels[i].length);
    };
    for (Tensor& input : step.inputs) cut(input);
    cut(step.y);
    step.channel_weights += channels[i].begin;
    step.scale += channels[i].begin;
    step.shift += channels[i].begin;
    step.runs.clear();
  }
  return steps;
}

// The channels of a value which a capacity has and the one `below` lacks, of 0 all: each interval
// as long as none of the others, or a gap, lies between.
std::vector<Bundle::Interval> channels_above(const PackageHeader& header, const Places& places,
                                             uint32_t value, uint32_t below, uint32_t capacity) {
  std::vector<Bundle::Interval> channels;
  const std::vector<RunSpec>& runs = header.channels(value).runs;
  for (uint32_t slot = 0; slot < runs.size(); ++slot) {
    const size_t before = header.run_size(runs[slot], below);
    const size_t count = header.run_size(runs[slot], capacity) - before;
    const size_t begin = places.first_channel(header, value, slot, capacity) + before;
    if (count == 0) continue;
    if (!channels.empty() && channels.back().begin + channels.back().length == begin) {
      channels.back().length += count;
    } else {
      channels.push_back({begin, count});
    }
  }
  return channels;
}

// What the steps of a plan do where the capacity below has just run.
std::vector<Continuation> continuations_of(const Segments& segments, uint32_t capacity,
                                           const ArenaLayout& layout, const Plan& plan) {
  const std::vector<Stage>& stages = layout.stages;
  const PackageHeader& header = segments.header();
  const std::vector<bool> continued = continued_stages(header, stages);
  auto added = all_bundles(header, layout.values, capacity, capacity, &segments);
  std::vector<Continuation> continuations(stages.size());
  for (size_t s = 0; s < stages.size(); ++s) {
    if (!continued[s]) continue;
    Continuation& to = continuations[s];
    to.continues = true;
    const uint32_t value = stages[s].output;
    if (layout.values.strides[value] == 0) {
      to.widening = widening_of(header, value, capacity - 1);
    }
    const std::vector<Bundle::Interval> channels =
        channels_above(header, layout.values, value, capacity - 1, capacity);
    if (plan.steps[s].op->weights != Weights::dense) {
      to.added = steps_of(plan.steps[s], channels);
      continue;
    }
    if (channels.empty()) continue;
    Step& step = to.added.emplace_back(plan.steps[s]);
    step.bundles = std::move(added[stages[s].node]);
    for (Bundle& bundle : step.bundles) {
      // What is packed already may be just this.
      bundle.ahead = false;
      for (const Bundle& whole : plan.steps[s].bundles) {
        if (whole.y_offset == bundle.y_offset && whole.channels == bundle.channels) bundle = whole;
      }
    }
  }
  return continuations;
}

}  // namespace

Plan make_plan(const Segments& segments, uint32_t capacity, const ArenaLayout& layout,
               float* arena) {
  const PackageHeader& header = segments.header();
  const Places& places = layout.values;
  std::vector<Tensor> tensors;
  for (uint32_t v = 0; v < header.values.size(); ++v) {
    tensors.emplace_back(arena + places.offsets[v], placed_shape(header, places, v, capacity),
                         places.strides[v]);
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
  struct Gathered {
    Step* step;
    float *scale, *shift, *channel_weights;
  };
  std::vector<Gathered> gathered(header.nodes.size());
  plan.steps.reserve(layout.stages.size());
  float* constants = arena + layout.constants[capacity - 1];
  // What a step has of its node, whose scales, shifts and depthwise weights are to be gathered.
  const auto prepare = [&](Step& step, uint32_t node) {
    step.node = &header.nodes[node];
    step.op = find_operator(step.node->op);
    step.low = step.node->low;
    step.high = step.node->high;
    step.then = Then::nothing;
    step.zeros = arena + layout.zeros;
    step.scratch = arena + layout.scratch;
    step.method = layout.methods[node];
    const Constants sizes = constants_of(header, places, *step.node, capacity);
    step.channel_row = sizes.scale;
    gathered[node] = {&step, constants, constants + sizes.scale, constants + 2 * sizes.scale};
    step.scale = gathered[node].scale;
    step.shift = gathered[node].shift;
    step.channel_weights = gathered[node].channel_weights;
    constants += sizes.floats();
  };
  for (const Stage& stage : layout.stages) {
    Step& step = plan.steps.emplace_back();
    prepare(step, stage.node);
    for (const uint32_t input : stage.inputs) step.inputs.push_back(tensors[input]);
    step.y = tensors[stage.output];
    if (stage.depthwise) {
      Step& before = step.before.emplace_back();
      prepare(before, *stage.depthwise);
      before.inputs = {tensors[stage.inputs[0]]};
      before.y = tensors[before.node->output];
    }
    // What keeps its places was computed there.
    if (layout.refinable && step.node->op == "concat" && places.strides[stage.output] > 0)
      step.inputs.clear();
    step.low = stage.low;
    step.high = stage.high;
    step.then = stage.then;
    if (!step.op->traits.by_channel || step.inputs.empty() || places.strides[stage.output] == 0) {
      continue;
    }
    const std::vector<Bundle::Interval> runs =
        channels_above(header, places, stage.output, 0, capacity);
    if (runs.size() > 1) step.runs = steps_of(step, runs);
  }
  for (uint32_t k = 1; k <= capacity; ++k) {
    const float* segment = segments.weights(k);
    SegmentVisitor visitor;
    visitor.block = [&](uint32_t n, const Block& block) {
      if (!is_of(header.nodes[n], block, k, capacity)) return;
      const Range range = range_of(header, places, n, block, capacity);
      const Gathered& to = gathered[n];
      const float* from = segment + block.offset;
      if (block.kind == Block::Kind::scale) {
        std::copy_n(from, range.channels, to.scale + range.y_offset);
      } else if (block.kind == Block::Kind::shift) {
        std::copy_n(from, range.channels, to.shift + range.y_offset);
      } else if (!block.is_dense()) {
        gather_channels(header.nodes[n], range, from, to.channel_weights,
                        constants_of(header, places, header.nodes[n], capacity).scale);
      }
    };
    for_each_part(header, k, visitor);
  }
  auto bundles = all_bundles(header, places, 1, capacity, &segments);
  for (size_t n = 0; n < bundles.size(); ++n) {
    if (bundles[n].empty()) continue;
    const size_t taps = taps_of(header.nodes[n]);
    for (Bundle& bundle : bundles[n]) {
      if (!bundle.ahead) continue;
      pack_bundle(bundle, taps, constants);
      bundle.packed = constants;
      constants += align_floats(packed_floats(bundle, taps));
    }
    gathered[n].step->bundles = std::move(bundles[n]);
  }
  if (layout.refinable && capacity > 1) {
    plan.continuations = continuations_of(segments, capacity, layout, plan);
  }
  return plan;
}

}  // namespace nestling::runtime
