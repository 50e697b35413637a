// The one surgery primitive. Pruning keeps fewer channels; nesting is a reorder; a descendant is a
// prefix. Nothing else edits channels.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "graph/groups.h"

namespace nestling {

// Restricts and reorders channel groups wherever they appear; groups that are not named stay.
//
//   before: conv [8, 3, 3, 3] ─▶ bn [8] ─▶ conv [4, 8, 3, 3]
//   keep(conv, {5, 0, 2})
//   after:  conv [3, 3, 3, 3] ─▶ bn [3] ─▶ conv [4, 3, 3, 3]
//
// Throws Error if a list is empty, repeats a channel, names one that is not there, or the group is
// fixed.
Graph keep(const Graph& graph, const ChannelGroups& groups, const KeptChannels& kept);

// The graph with constants that have a shape but no data: all that `keep` and the costs need to
// tell what a cut would leave, without copying the weights.
Graph outline(const Graph& graph);

// Where the kept channels of one axis are before `keep`: the old index of each new one. `labels`
// are that axis's.
std::vector<int64_t> kept_indices(const std::vector<ChannelLabel>& labels,
                                  const KeptChannels& kept);

}  // namespace nestling
