#include "prune/sensitivity.h"

#include <algorithm>

#include "graph/cost.h"
#include "prune/reconstruct.h"
#include "train/agreement.h"
#include "train/evaluate.h"

namespace nestling {
namespace {

constexpr int64_t kBatchImages = 50;  // as in reconstructed()
constexpr size_t kParts = 8;          // of a group's channels; all but the last two are tried

// What is left once some of a group's channels are cut.
struct Cut {
  size_t channels = 0;  // that went
  double macs = 0;
  double change = 0;  // of the outputs
};

// From no channel on to three quarters of them, of a group of at least one; what is left is
// compared with `whole`.
std::vector<Cut> try_cuts(const Graph& graph, const Graph& whole, const ChannelGroups& groups,
                          size_t group, const std::vector<size_t>& order, const Dataset& images,
                          uint64_t seed) {
  std::vector<Cut> cuts{{0, static_cast<double>(count_macs(graph)), 0}};
  for (size_t part = 1; part + 2 <= kParts; ++part) {
    const size_t channels = (part * order.size() + kParts - 1) / kParts;
    if (channels == cuts.back().channels || channels == order.size()) continue;
    std::vector<int64_t> left(order.begin() + static_cast<std::ptrdiff_t>(channels), order.end());
    std::sort(left.begin(), left.end());
    const KeptChannels kept{{static_cast<int32_t>(group), std::move(left)}};
    const Graph cut = reconstructed(graph, groups, kept, images, seed);
    cuts.push_back(
        {channels, static_cast<double>(count_macs(cut)), difference(cut, whole, images)});
  }
  return cuts;
}

// The change for each MAC, of the channels in their order: it never falls, so that none goes before
// a less important one.
std::vector<double> scores_of(const std::vector<Cut>& cuts, size_t channels) {
  std::vector<double> scores;
  double slope = 0;
  for (size_t i = 1; i < cuts.size(); ++i) {
    const Cut &before = cuts[i - 1], &cut = cuts[i];
    const double macs = std::max(before.macs - cut.macs, 1.0);
    const double next = std::max(slope, (cut.change - before.change) / macs);
    const auto count = static_cast<double>(cut.channels - before.channels);
    for (double c = 0.5; c < count; ++c) scores.push_back(slope + c / count * (next - slope));
    slope = next;
  }
  // What was not tried costs the more the fewer are left.
  const auto rest = static_cast<double>(channels - scores.size());
  for (double c = 1; c <= rest; ++c) scores.push_back(slope * (1 + 4 * c / rest));
  return scores;
}

}  // namespace

Importance by_sensitivity(const Importance& importance, const Graph& graph,
                          const ChannelGroups& groups, const Dataset& images, uint64_t seed) {
  // The images have moved its statistics as those of the cut networks: otherwise these would differ
  // even where nothing is lost.
  const Graph whole = with_statistics_of(graph, images, kBatchImages);
  Importance result = importance;
  for (size_t g = 0; g < importance.size(); ++g) {
    if (importance[g].empty()) continue;
    const std::vector<size_t> order = order_of(importance[g]);
    const std::vector<double> scores =
        scores_of(try_cuts(graph, whole, groups, g, order, images, seed), order.size());
    for (size_t i = 0; i < order.size(); ++i) result[g][order[i]] = scores[i];
  }
  return result;
}

}  // namespace nestling
