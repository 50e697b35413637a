// Runs images through a network and scores its feature maps.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/groups.h"

namespace nestling {

// The values whose feature maps stand for the groups that may be cut: the outputs of activation
// functions; for a group that has none, of batch norms; else of convolutions and fully connected
// layers.
std::vector<ValueId> ranked_values(const Graph& graph, const ChannelGroups& groups);

// By value, a number for each of its channels.
using ChannelScores = std::map<ValueId, std::vector<double>>;

// The mean absolute value of each channel's maps.
ChannelScores mean_magnitudes(const Graph& graph, const std::vector<ValueId>& values,
                              const Dataset& data);

// How much the loss changes, to first order, if a channel's maps become zero: the mean over the
// images of |sum of map times its gradient| (Molchanov, Tyree, Karras, Aila, Kautz, ICLR 2017).
ChannelScores first_order_changes(const Graph& graph, const std::vector<ValueId>& values,
                                  const Dataset& data);

// The TRR over all triplets of the images, by prune/trr.h. Takes at most a gigabyte beside the
// network's own memory: values, or channels of one, that need more are done in several passes over
// the images.
ChannelScores exact_trr(const Graph& graph, const std::vector<ValueId>& values,
                        const Dataset& data);

// The literal form of the paper: the mean over `triplets` triplets drawn uniformly from all.
ChannelScores sampled_trr(const Graph& graph, const std::vector<ValueId>& values,
                          const Dataset& data, int64_t triplets, uint64_t seed);

}  // namespace nestling
