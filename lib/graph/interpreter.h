// A plain scalar interpreter: slow, obvious, the oracle for everything else.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace nestling {

// The values of all ids after running `graph` (its shapes inferred) on a tensor for each of its
// inputs. Sums run in index order in float32, so a sum over a prefix of channels is a prefix of the
// sum. Throws Error if an input's shape does not fit.
std::vector<Tensor> interpret_all(const Graph& graph, const std::vector<Tensor>& inputs);

// The outputs only; of several inputs, or of one.
std::vector<Tensor> interpret(const Graph& graph, const std::vector<Tensor>& inputs);
std::vector<Tensor> interpret(const Graph& graph, const Tensor& input);

// The output of one operator on tensors that its shape rule has accepted.
Tensor interpret(const Op& op, const std::vector<const Tensor*>& inputs, Shape shape);

}  // namespace nestling
