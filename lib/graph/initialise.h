// Fresh weights: a network as it was before any training.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace nestling {

// The graph with its layers' weights drawn anew as the zoo draws them: those of convolutions
// normal with variance 2 / fan-in (He et al., ICCV 2015), of fully connected layers with
// 1 / fan-in; biases zero; batch norms at scale 1, shift 0, mean 0, variance 1. Other constants
// (slopes, sizes, tables) stay.
Graph initialised(Graph graph, uint64_t seed);

}  // namespace nestling
