// Batch norms out of and into a network, which computes the same.
#pragma once

#include <map>
#include <vector>

#include "graph/graph.h"

namespace nestling {

// Mean and variance of each channel.
struct ChannelStatistics {
  std::vector<float> mean, variance;
};

// The convolutions that a training would want a batch norm behind: their images have several
// pixels, are no output of the network, and no batch norm follows. None of them if the network has
// batch norms, or norms of another kind: it is then as its authors want it.
std::vector<ValueId> without_batch_norm(const Graph& graph);

// A batch norm behind every value named, with these statistics as its running ones, and the scale
// and shift that undo it. The network's metadata says that they were added, for convert to take
// them out of the files it writes.
Graph add_batch_norms(const Graph& graph, const std::map<ValueId, ChannelStatistics>& statistics);
bool has_added_batch_norms(const Graph& graph);

// Without the batch norms behind convolutions and fully connected layers whose outputs nothing else
// uses: they are part of those layers' weights.
Graph fold_batch_norms(const Graph& graph);

}  // namespace nestling
