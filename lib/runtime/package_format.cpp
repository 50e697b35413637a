#include "runtime/package_format.h"

#include <algorithm>

#include "runtime/operator.h"

namespace nestling::runtime {

uint32_t PackageHeader::run_size(const RunSpec& run, uint32_t capacity) const {
  const uint32_t there = width(run.group, capacity);
  return std::min(there > run.first ? there - run.first : 0, run.count) * run.repeat;
}

uint32_t PackageHeader::axis_size(const AxisSpec& axis, uint32_t capacity) const {
  if (axis.runs.empty()) return axis.extent;
  uint32_t sum = 0;
  for (const RunSpec& run : axis.runs) sum += run_size(run, capacity);
  return sum;
}

std::vector<uint32_t> PackageHeader::shape(uint32_t value, uint32_t capacity) const {
  std::vector<uint32_t> sizes;
  for (const AxisSpec& axis : values[value].axes) sizes.push_back(axis_size(axis, capacity));
  return sizes;
}

uint32_t panels(const PackageHeader& header, const RunSpec& run, uint32_t capacity) {
  const uint32_t added = header.run_size(run, capacity) - header.run_size(run, capacity - 1);
  return (added + kPanel - 1) / kPanel;
}

uint64_t block_words(const PackageHeader& header, const NodeSpec& node, const Block& block) {
  const RunSpec& run = header.channels(node.output).runs[block.out_slot];
  const uint64_t lanes = uint64_t{panels(header, run, block.range)} * kPanel;
  if (block.kind != Block::Kind::weights) return lanes;
  const uint64_t taps = uint64_t{node.kernel[0]} * node.kernel[1];
  const uint64_t numbers = lanes * taps * std::max(block.in_end - block.in_begin, 1U);
  return block.is_dense() && header.weights == WeightType::float16 ? numbers / 2 : numbers;
}

uint64_t for_each_part(const PackageHeader& header, uint32_t capacity,
                       const SegmentVisitor& visitor) {
  uint64_t offset = 0;
  for (uint32_t n = 0; n < header.nodes.size(); ++n) {
    const NodeSpec& node = header.nodes[n];
    const Weights weights = find_operator(node.op)->weights;
    if (weights == Weights::none) continue;
    const auto put = [&](Block block) {
      block.offset = offset;
      offset += block_words(header, node, block);
      visitor.block(n, block);
    };
    const std::vector<RunSpec>& outs = header.channels(node.output).runs;
    const std::vector<RunSpec>& ins = header.channels(node.inputs[0]).runs;
    const uint32_t groups = weights == Weights::dense ? layer_groups(node) : 1;
    for (uint32_t slot = 0; slot < outs.size(); ++slot) {
      // The runs of the input that this one meets.
      const auto each = static_cast<uint32_t>(ins.size()) / groups;
      const uint32_t first = slot / (static_cast<uint32_t>(outs.size()) / groups) * each;
      for (uint32_t range = 1; range <= capacity; ++range) {
        if (panels(header, outs[slot], range) == 0) continue;
        const bool fresh = range == capacity || node.own_weights;
        if (weights == Weights::depthwise && fresh) {
          put({Block::Kind::weights, slot, range, 0, 0, 0, 0});
        }
        for (uint32_t in = first; in < first + each && weights == Weights::dense; ++in) {
          const uint32_t begin = fresh ? 0 : header.run_size(ins[in], capacity - 1);
          const uint32_t end = header.run_size(ins[in], capacity);
          if (begin == end || (header.causal && !fresh)) continue;
          put({Block::Kind::weights, slot, range, in, begin, end, 0});
        }
        if (range == capacity || node.own_scale) {
          put({Block::Kind::scale, slot, range, 0, 0, 0, 0});
          put({Block::Kind::shift, slot, range, 0, 0, 0, 0});
        }
      }
    }
  }
  for (uint32_t v = 0; v < header.values.size(); ++v) {
    const Storage storage = header.values[v].storage;
    if (storage == Storage::computed || (storage == Storage::shared && capacity > 1)) continue;
    visitor.constant(v, offset);
    uint64_t floats = 1;
    for (const uint32_t size : header.shape(v, capacity)) floats *= size;
    offset += floats;
  }
  return offset;
}

}  // namespace nestling::runtime
