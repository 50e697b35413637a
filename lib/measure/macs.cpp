#include "measure/macs.h"

#include <algorithm>

namespace nestling {

std::vector<uint64_t> macs_of(const runtime::PackageHeader& header, uint32_t capacity) {
  std::vector<uint64_t> macs(header.nodes.size());
  for (uint32_t k = 1; k <= capacity; ++k) {
    runtime::SegmentVisitor visitor;
    visitor.block = [&](uint32_t n, const runtime::Block& block) {
      const runtime::NodeSpec& node = header.nodes[n];
      if (block.kind != runtime::Block::Kind::weights || (node.own_weights && k != capacity))
        return;
      const runtime::RunSpec& run = header.channels(node.output).runs[block.out_slot];
      const uint64_t filters =
          header.run_size(run, block.range) - header.run_size(run, block.range - 1);
      const uint64_t inputs = std::max<uint64_t>(1, block.in_end - block.in_begin);
      uint64_t pixels = 1;
      for (const uint32_t size : header.shape(node.output, capacity)) pixels *= size;
      pixels /= header.axis_size(header.channels(node.output), capacity);
      macs[n] += filters * inputs * node.kernel[0] * node.kernel[1] * pixels;
    };
    for_each_part(header, k, visitor);
  }
  return macs;
}

}  // namespace nestling
