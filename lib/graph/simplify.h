// What exporters write in several nodes and the graph knows as one.
#pragma once

#include "graph/graph.h"

namespace nestling {

// The same network, simpler:
//
//   Gemm -> Add (constant [M])                       Gemm with a bias
//   Reshape -> Transpose -> Reshape (of channels)    Shuffle
//
// Nodes that no output needs and constants that no node uses are gone. Values keep their names.
Graph simplified(Graph graph);

}  // namespace nestling
