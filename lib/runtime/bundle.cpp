#include "runtime/bundle.h"

#include <algorithm>

namespace nestling::runtime {
namespace {

std::vector<Bundle::Interval> inputs_of(const ConvRange& range) {
  std::vector<Bundle::Interval> inputs;
  for (const ConvPiece& piece : range.pieces) {
    if (!inputs.empty() && inputs.back().begin + inputs.back().length == piece.x_offset) {
      inputs.back().length += piece.length;
    } else {
      inputs.push_back({piece.x_offset, piece.length});
    }
  }
  return inputs;
}

bool same(const std::vector<Bundle::Interval>& a, const std::vector<Bundle::Interval>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& v, const auto& w) {
    return v.begin == w.begin && v.length == w.length;
  });
}

}  // namespace

std::vector<Bundle> bundles_of(const std::vector<ConvRange>& ranges, size_t taps) {
  std::vector<Bundle> bundles;
  for (const ConvRange& range : ranges) {
    const std::vector<Bundle::Interval> inputs = inputs_of(range);
    const bool joins = !bundles.empty() && same(bundles.back().inputs, inputs) &&
                       bundles.back().y_offset + bundles.back().channels == range.y_offset;
    if (!joins) {
      Bundle& bundle = bundles.emplace_back();
      bundle.y_offset = range.y_offset;
      bundle.inputs = inputs;
      for (const Bundle::Interval& interval : inputs) bundle.depth += interval.length;
    }
    Bundle& bundle = bundles.back();
    for (size_t at = 0; at < range.channels; at += kPanel) {
      Bundle::Panel& panel = bundle.panels.emplace_back();
      panel.first = bundle.channels + at;
      panel.channels = std::min<size_t>(kPanel, range.channels - at);
      size_t first = 0;
      for (const ConvPiece& piece : range.pieces) {
        panel.blocks.push_back({piece.weights.from(at * taps * piece.length), first, piece.length});
        first += piece.length;
      }
    }
    constexpr size_t kLong = 32;
    for (const ConvPiece& piece : range.pieces) {
      if (range.pieces.size() > 1 && piece.length < kLong) bundle.direct = false;
      if (piece.weights.type != WeightType::float32) bundle.direct = false;
    }
    if (bundle.channels % kPanel != 0) bundle.direct = false;
    bundle.channels += range.channels;
  }
  return bundles;
}

}  // namespace nestling::runtime
