#include "runtime/package_format.h"

namespace nestling::runtime {

uint32_t PackageHeader::channels(uint32_t value, uint32_t capacity) const {
  uint32_t sum = 0;
  for (const uint32_t group : values[value].groups) sum += width(group, capacity);
  return sum;
}

uint32_t panels(const PackageHeader& header, uint32_t group, uint32_t capacity) {
  const uint32_t added = header.width(group, capacity) - header.width(group, capacity - 1);
  return (added + kPanel - 1) / kPanel;
}

uint64_t block_floats(const PackageHeader& header, const NodeSpec& node, const Block& block) {
  const uint32_t group = header.values[node.output].groups[block.out_slot];
  const uint64_t lanes = uint64_t{panels(header, group, block.range)} * kPanel;
  if (block.kind != Block::Kind::weights) return lanes;
  const uint64_t taps = uint64_t{node.kernel[0]} * node.kernel[1];
  return lanes * taps * (node.op == OpKind::depthwise ? 1 : block.in_end - block.in_begin);
}

uint64_t for_each_block(const PackageHeader& header, uint32_t capacity,
                        const std::function<void(uint32_t node, const Block&)>& visit) {
  uint64_t offset = 0;
  for (uint32_t n = 0; n < header.nodes.size(); ++n) {
    const NodeSpec& node = header.nodes[n];
    const bool convolves = node.op == OpKind::conv || node.op == OpKind::depthwise;
    if (!convolves && node.op != OpKind::affine) continue;
    const auto put = [&](Block block) {
      block.offset = offset;
      offset += block_floats(header, node, block);
      visit(n, block);
    };
    const std::vector<uint32_t>& outs = header.values[node.output].groups;
    const std::vector<uint32_t>& ins = header.values[node.inputs[0]].groups;
    for (uint32_t slot = 0; slot < outs.size(); ++slot) {
      for (uint32_t range = 1; range <= capacity; ++range) {
        if (panels(header, outs[slot], range) == 0) continue;
        const bool fresh = range == capacity || node.own_weights;
        if (node.op == OpKind::depthwise && fresh) {
          put({Block::Kind::weights, slot, range, 0, 0, 0, 0});
        }
        for (uint32_t in = 0; in < ins.size() && node.op == OpKind::conv; ++in) {
          const uint32_t begin = fresh ? 0 : header.width(ins[in], capacity - 1);
          const uint32_t end = header.width(ins[in], capacity);
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
  return offset;
}

}  // namespace nestling::runtime
