// Shape inference.
#pragma once

#include "graph/graph.h"

namespace nestling {

// Sets the shape of every activation from the shapes of the inputs and constants. Throws Error
// naming the node and what does not fit; a graph that passes may be executed without further
// checks.
void infer_shapes(Graph& graph);

}  // namespace nestling
