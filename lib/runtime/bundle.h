// The weights of a layer as kernels see them. What capacities added lies in blocks of its own
// (package_format.h); output channels that see the same input channels are a bundle, as if they had
// always been one layer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "runtime/package_format.h"

namespace nestling::runtime {

// Dense weights where a package has them.
struct StoredWeights {
  const void* data = nullptr;
  WeightType type = WeightType::float32;

  const float* floats() const { return static_cast<const float*>(data); }
  const uint16_t* halves() const { return static_cast<const uint16_t*>(data); }
  StoredWeights from(size_t index) const {
    if (data == nullptr) return *this;
    if (type == WeightType::float16) return {halves() + index, type};
    return {floats() + index, type};
  }
};

// The places of a layer's kernel.
inline size_t taps_of(const NodeSpec& node) { return size_t{node.kernel[0]} * node.kernel[1]; }

// Output channels that one capacity added: `channels` of them from `y_offset` on, and the blocks in
// which they meet the input channels from `x_offset` on, `length` of them.
struct ConvPiece {
  StoredWeights weights;
  size_t x_offset;
  size_t length;
};
struct ConvRange {
  size_t y_offset;
  size_t channels;
  std::vector<ConvPiece> pieces;  // by x_offset
};

struct Bundle {
  // Input channels one behind the other.
  struct Interval {
    size_t begin, length;
  };
  // At most kPanel output channels that lie together in blocks.
  struct Panel {
    // Where these meet some input channels: [tap][channel][kPanel].
    struct Block {
      StoredWeights weights;
      size_t first, length;  // of the bundle's input channels
    };
    size_t first, channels;  // of the bundle's output channels
    std::vector<Block> blocks;

    // Whether another one meets the same inputs in blocks of the same sizes.
    bool meets_same(const Panel& other) const {
      return std::equal(blocks.begin(), blocks.end(), other.blocks.begin(), other.blocks.end(),
                        [](const Block& a, const Block& b) {
                          return a.first == b.first && a.length == b.length;
                        });
    }

    // That has input channel `c`.
    const Block& block_of(size_t c) const {
      size_t i = 0;
      while (c >= blocks[i].first + blocks[i].length) ++i;
      return blocks[i];
    }
  };

  size_t y_offset = 0, channels = 0;
  std::vector<Interval> inputs;
  size_t depth = 0;  // input channels
  std::vector<Panel> panels;
  // Kernels may read the weights where they are: these are float32, panels are full, but for the
  // last one, and blocks long. Otherwise they are better packed.
  bool direct = true;
  // Whether all weights are packed when the capacity changes, and where: [group][step][kGroup], as
  // kernels have it (conv-inl.h).
  bool ahead = false;
  const float* packed = nullptr;

  // Where the bundle's input channel `c` lies in x, with those that follow it there.
  Interval inputs_from(size_t c) const {
    const Interval* interval = inputs.data();
    for (; c >= interval->length; ++interval) c -= interval->length;
    return {interval->begin + c, interval->length - c};
  }

  // Every panel has one block, whose rows follow each other step by step.
  bool single() const { return !panels.empty() && panels[0].blocks.size() == 1; }
};

// `taps` are the places of the kernel. Ranges come by y_offset; where only sizes are asked for,
// weights may be null.
std::vector<Bundle> bundles_of(const std::vector<ConvRange>& ranges, size_t taps);

// Calls visit(weights, rows, step, lane, skipped, channels) for all that bundle's blocks have of
// `lanes` output channels from `first` on, for `count` steps from `step` on, which go through the
// taps and in each through the input channels: `rows` rows of kPanel weights, for as many steps
// from the given one on; behind the first `skipped` of a row come `channels` that are those of the
// given lanes.
template <typename Visit>
void for_each_weights(const Bundle& bundle, size_t first, size_t lanes, size_t step, size_t count,
                      const Visit& visit) {
  for (const Bundle::Panel& panel : bundle.panels) {
    if (panel.first + panel.channels <= first) continue;
    if (panel.first >= first + lanes) break;
    const size_t skipped = panel.first < first ? first - panel.first : 0;
    const size_t lane = panel.first + skipped - first;
    const size_t channels = std::min(panel.channels - skipped, lanes - lane);
    for (size_t at = step; at < step + count;) {
      const size_t tap = at / bundle.depth, channel = at % bundle.depth;
      const size_t end = std::min(bundle.depth, channel + step + count - at);
      for (const Bundle::Panel::Block& block : panel.blocks) {
        const size_t from = std::max(channel, block.first);
        const size_t last = std::min(end, block.first + block.length);
        if (from >= last) continue;
        visit(block.weights.from((tap * block.length + from - block.first) * kPanel), last - from,
              at + from - channel, lane, skipped, channels);
      }
      at += end - channel;
    }
  }
}

}  // namespace nestling::runtime
