#include "package/package.h"

#include <cstring>
#include <protozero/pbf_writer.hpp>

#include "runtime/checksum.h"
#include "runtime/header.h"
#include "runtime/operator.h"

#include "base/error.h"
#include "graph/batch_norms.h"
#include "graph/classifier.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "package/float16_weights.h"
#include "package/lowering.h"
#include "package/scale_shift.h"

namespace nestling {
namespace {

using runtime::Block;
using runtime::NodeSpec;
using runtime::PackageHeader;

uint64_t align(uint64_t offset) {
  constexpr uint64_t kUnit = runtime::kSegmentAlignment;
  return (offset + kUnit - 1) / kUnit * kUnit;
}

std::string encode(const PackageHeader& header) {
  std::string bytes;
  protozero::pbf_writer out(bytes);
  const auto packed = [](protozero::pbf_writer& to, protozero::pbf_tag_type field,
                         const auto& numbers) {
    to.add_packed_uint32(field, numbers.begin(), numbers.end());
  };
  out.add_string(1, header.name);
  out.add_bool(2, header.causal);
  for (const runtime::GroupSpec& group : header.groups) {
    protozero::pbf_writer to(out, 3);
    to.add_string(1, group.name);
    packed(to, 2, group.widths);
  }
  for (const runtime::ValueSpec& value : header.values) {
    protozero::pbf_writer to(out, 4);
    for (const runtime::AxisSpec& axis : value.axes) {
      protozero::pbf_writer axis_to(to, 1);
      axis_to.add_uint32(1, axis.extent);
      for (const runtime::RunSpec& run : axis.runs) {
        protozero::pbf_writer run_to(axis_to, 2);
        run_to.add_uint32(1, run.group);
        run_to.add_uint32(2, run.first);
        run_to.add_uint32(3, run.count);
        run_to.add_uint32(4, run.repeat);
      }
    }
    to.add_uint32(2, static_cast<uint32_t>(value.storage));
    to.add_string(3, value.name);
  }
  for (const NodeSpec& node : header.nodes) {
    protozero::pbf_writer to(out, 5);
    to.add_string(1, node.op);
    packed(to, 2, node.inputs);
    to.add_uint32(3, node.output);
    packed(to, 4, node.kernel);
    packed(to, 5, node.stride);
    packed(to, 6, node.dilation);
    packed(to, 7, node.padding);
    to.add_packed_sint64(8, node.numbers.begin(), node.numbers.end());
    to.add_float(9, node.low);
    to.add_float(10, node.high);
    to.add_bool(11, node.own_weights);
    to.add_bool(12, node.own_scale);
    to.add_packed_float(13, node.reals.begin(), node.reals.end());
  }
  packed(out, 6, header.inputs);
  packed(out, 7, header.outputs);
  for (const runtime::SegmentSpec& segment : header.segments) {
    protozero::pbf_writer to(out, 8);
    to.add_uint64(1, segment.offset);
    to.add_uint64(2, segment.bytes);
    to.add_fixed64(3, segment.checksum);
    to.add_uint64(4, segment.macs);
    to.add_uint64(5, segment.parameters);
  }
  for (const std::string& name : header.classes) out.add_string(9, name);
  out.add_packed_float(10, header.mean.begin(), header.mean.end());
  out.add_packed_float(11, header.deviation.begin(), header.deviation.end());
  out.add_uint32(12, header.resize);
  out.add_uint64(13, header.independent_bytes);
  out.add_uint32(14, static_cast<uint32_t>(header.weights));
  if (header.arithmetic != runtime::WeightType::float32) {  // else as it ever was
    out.add_uint32(15, static_cast<uint32_t>(header.arithmetic));
  }
  return bytes;
}

// Fills the blocks of segments.
class SegmentWriter {
 public:
  SegmentWriter(const Lowered& lowered, const std::vector<Graph>& capacities)
      : header_(lowered.header), lowered_(lowered), capacities_(capacities) {}

  // Its words: float32, and pairs of float16.
  std::vector<float> segment(uint32_t capacity) const {
    std::vector<float> words(runtime::for_each_part(header_, capacity, {}));
    runtime::SegmentVisitor visitor;
    visitor.block = [&](uint32_t n, const Block& block) {
      const NodeSpec& node = header_.nodes[n];
      // What is shared is the same in the largest capacity, which has all of it.
      const bool own = block.kind == Block::Kind::weights ? node.own_weights : node.own_scale;
      const uint32_t from = own ? capacity : header_.capacities();
      float* to = words.data() + block.offset;
      if (block.is_dense() && header_.weights == runtime::WeightType::float16) {
        std::vector<float> floats(2 * runtime::block_words(header_, node, block));
        fill_weights(n, block, from, floats.data());
        const auto halves = float16_weights(floats, lowered_.sources[n].weight);
        std::memcpy(to, halves.data(), halves.size() * sizeof halves[0]);
      } else if (block.kind == Block::Kind::weights) {
        fill_weights(n, block, from, to);
      } else {
        fill_scales(n, block, from, to);
      }
    };
    visitor.constant = [&](uint32_t value, uint64_t offset) {
      fill_constant(value, capacity, words.data() + offset);
    };
    runtime::for_each_part(header_, capacity, visitor);
    return words;
  }

 private:
  // Places of a value's channels before its `slot`-th run, from run `first` on.
  uint32_t slot_offset(uint32_t value, uint32_t slot, uint32_t capacity, uint32_t first = 0) const {
    uint32_t offset = 0;
    for (uint32_t s = first; s < slot; ++s) {
      offset += header_.run_size(header_.channels(value).runs[s], capacity);
    }
    return offset;
  }

  // Calls visit(lane, channel) for the output channels of a block, as numbered at capacity `from`.
  template <typename F>
  void for_channels(const NodeSpec& node, const Block& block, uint32_t from, const F& visit) const {
    const runtime::RunSpec& run = header_.channels(node.output).runs[block.out_slot];
    const uint32_t begin = header_.run_size(run, block.range - 1);
    const uint32_t end = header_.run_size(run, block.range);
    const uint32_t offset = slot_offset(node.output, block.out_slot, from);
    for (uint32_t c = begin; c < end; ++c) visit(c - begin, size_t{offset} + c);
  }

  // From [out, in / groups, rows, columns] to [panel][row][column][in][kPanel].
  void fill_weights(uint32_t n, const Block& block, uint32_t from, float* to) const {
    const NodeSpec& node = header_.nodes[n];
    const Graph& graph = capacities_[from - 1];
    const Tensor& weight = graph.constant(find_value(graph, lowered_.sources[n].weight));
    const bool dense = block.in_end > block.in_begin;
    const size_t taps = size_t{node.kernel[0]} * node.kernel[1];
    const size_t filter = weight.data.size() / static_cast<size_t>(weight.shape[0]);
    const size_t length = dense ? block.in_end - block.in_begin : 1;
    size_t first_in = 0;
    if (dense) {
      const auto slots = static_cast<uint32_t>(header_.channels(node.inputs[0]).runs.size());
      const uint32_t each = slots / runtime::layer_groups(node);
      const uint32_t group_begin = block.in_slot / each * each;
      first_in = slot_offset(node.inputs[0], block.in_slot, from, group_begin) + block.in_begin;
    }
    for_channels(node, block, from, [&](uint32_t lane, size_t out) {
      const size_t panel = lane / runtime::kPanel;
      for (size_t tap = 0; tap < taps; ++tap) {
        for (size_t c = 0; c < length; ++c) {
          to[((panel * taps + tap) * length + c) * runtime::kPanel + lane % runtime::kPanel] =
              weight.data.at(out * filter + (first_in + c) * taps + tap);
        }
      }
    });
  }

  void fill_scales(uint32_t n, const Block& block, uint32_t from, float* to) const {
    const LayerSource& source = lowered_.sources[n];
    for_channels(header_.nodes[n], block, from, [&](uint32_t lane, size_t out) {
      const ScaleShift values = scale_shift(capacities_[from - 1], source, out);
      to[lane] = static_cast<float>(block.kind == Block::Kind::scale ? values.scale : values.shift);
    });
  }

  // Constants with four axes lie as images do, channels last.
  void fill_constant(uint32_t value, uint32_t capacity, float* to) const {
    const Tensor tensor = lowered_.constants.at(value)(capacities_[capacity - 1]);
    const std::vector<uint32_t> shape = header_.shape(value, capacity);
    if (shape.size() != 4) {
      std::copy(tensor.data.begin(), tensor.data.end(), to);
      return;
    }
    const size_t area = size_t{shape[2]} * shape[3];
    for (size_t i = 0; i < tensor.data.size(); ++i) {
      const size_t pixel = i % area, channel = i / area % shape[1], n = i / area / shape[1];
      to[(n * area + pixel) * shape[1] + channel] = tensor.data[i];
    }
  }

  const PackageHeader& header_;
  const Lowered& lowered_;
  const std::vector<Graph>& capacities_;
};

std::vector<Graph> all_capacities(const Graph& graph, const Nesting& nesting) {
  std::vector<Graph> capacities;
  for (int k = 1; k <= nesting.capacities(); ++k) capacities.push_back(descend(graph, nesting, k));
  return capacities;
}

}  // namespace

std::string make_package(const Graph& graph, const std::string& where, const Precision& precision) {
  const Nesting nesting = nesting_of(graph, where);
  const ClassifierInfo info = classifier_info(graph, where);
  Lowered lowered = lower(graph, nesting);
  PackageHeader& header = lowered.header;
  header.weights = precision.weights;
  header.arithmetic = precision.arithmetic;
  header.classes = info.classes;
  header.mean = info.preprocess.mean;
  header.deviation = info.preprocess.deviation;
  header.resize = static_cast<uint32_t>(info.preprocess.resize);

  const std::vector<Graph> capacities = all_capacities(graph, nesting);
  const SegmentWriter writer(lowered, capacities);
  std::vector<std::vector<float>> segments;
  for (uint32_t k = 1; k <= header.capacities(); ++k) {
    segments.push_back(writer.segment(k));
    const Graph& capacity = capacities[k - 1];
    header.segments[k - 1].macs = static_cast<uint64_t>(count_macs(capacity));
    header.segments[k - 1].parameters = static_cast<uint64_t>(count_parameters(capacity));
    if (capacities.size() > 1) {
      header.independent_bytes += make_package(capacity, where, precision).size();
    }
    header.segments[k - 1].bytes = segments.back().size() * sizeof(float);
    header.segments[k - 1].checksum =
        runtime::checksum(segments.back().data(), header.segments[k - 1].bytes);
  }
  // Where the segments begin depends on the header's length, and that a little on the offsets.
  uint64_t begin = 0;
  for (uint64_t end = runtime::kPreambleBytes; align(end) != begin;) {
    begin = align(end);
    uint64_t offset = begin;
    for (runtime::SegmentSpec& segment : header.segments) {
      segment.offset = offset;
      offset = align(offset + segment.bytes);
    }
    end = runtime::kPreambleBytes + encode(header).size();
  }
  const std::string text = encode(header);
  const auto length = static_cast<uint32_t>(text.size());
  const uint64_t checksum = runtime::checksum(text.data(), text.size());
  std::string bytes(runtime::kMagic, sizeof runtime::kMagic);
  bytes.append(reinterpret_cast<const char*>(&runtime::kVersion), 4);
  bytes.append(reinterpret_cast<const char*>(&length), 4);
  bytes.append(reinterpret_cast<const char*>(&checksum), 8);
  bytes += text;
  for (uint32_t k = 0; k < header.capacities(); ++k) {
    bytes.resize(header.segments[k].offset);
    bytes.append(reinterpret_cast<const char*>(segments[k].data()), header.segments[k].bytes);
  }
  if (const auto status = runtime::check_header(header, bytes.size()); !status.ok()) {
    fail("{} cannot become a package: {}", where, status.text());
  }
  return bytes;
}

std::vector<Graph> plain_capacities(const Graph& graph, const std::string& where, bool fold) {
  std::vector<Graph> capacities = all_capacities(graph, nesting_of(graph, where));
  if (fold || has_added_batch_norms(graph)) {
    for (Graph& capacity : capacities) capacity = fold_batch_norms(capacity);
  }
  return capacities;
}

}  // namespace nestling
