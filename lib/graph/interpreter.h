// A plain scalar interpreter: slow, obvious, the oracle for everything else.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace nestling {

// The values of all ids after running `graph` (its shapes inferred) on `input`, shape
// [N, C, H, W] of its only input. Sums run in index order in float32, so a sum over a prefix of
// channels is a prefix of the sum. Throws Error if the input's shape does not fit.
std::vector<Tensor> interpret_all(const Graph& graph, const Tensor& input);

// The outputs only.
std::vector<Tensor> interpret(const Graph& graph, const Tensor& input);

}  // namespace nestling
