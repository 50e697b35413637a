// How much the outputs of a network depend on the width of each of its layers.
#pragma once

#include <cstdint>

#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/groups.h"
#include "prune/ranking.h"

namespace nestling {

// Each score by what cutting costs the outputs when it would be its channel's turn, for each MAC
// that it saves: cut by these, layers end where a MAC is worth the same in all of them (after Yang
// et al., ECCV 2018, who retrain where here the layers behind are refitted, prune/reconstruct.h).
// For each group the least important eighth of its channels, two eighths and so on up to three
// quarters are cut from the whole network, and the cost is difference() of train/agreement.h: up to
// six times four passes over the images for each group.
Importance by_sensitivity(const Importance& importance, const Graph& graph,
                          const ChannelGroups& groups, const Dataset& images, uint64_t seed);

}  // namespace nestling
