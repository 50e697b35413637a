// Shape inference.
#pragma once

#include "graph/graph.h"

namespace nestling {

// The shape of the output of `node` from the shapes of its inputs; nothing is changed. Throws Error
// naming the node and what does not fit.
Shape output_shape(const Graph& graph, const Node& node);

}  // namespace nestling
