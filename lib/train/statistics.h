// What the images of a data set make of a network's values.
#pragma once

#include <map>
#include <vector>

#include "data/dataset.h"
#include "graph/batch_norms.h"
#include "graph/graph.h"

namespace nestling {

// Mean and variance of the channels of each value [N, C, ...], over all images and pixels.
std::map<ValueId, ChannelStatistics> channel_statistics(const Graph& graph, const Dataset& data,
                                                        const std::vector<ValueId>& values);

}  // namespace nestling
