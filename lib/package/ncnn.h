// A network for the ncnn inference engine: a text of layers (.param) and their weights (.bin), as
// its wiki defines them ("param and model file structure", "operators").
#pragma once

#include <string>

#include "graph/graph.h"

namespace nestling {

struct NcnnModel {
  std::string param, bin;
};

// Batch norms should have been folded. With `half` the weights of convolutions and fully connected
// layers are float16. Throws Error naming the node for what ncnn has no layer for, or none that
// computes the same.
NcnnModel make_ncnn(const Graph& graph, bool half);

}  // namespace nestling
