// What a graph costs.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace nestling {

// Multiply-accumulates of the convolutions and fully connected layers for one image; the usual
// count of papers (batch norm, pooling and activations are not counted).
int64_t count_macs(const Graph& graph);

// Trainable parameters: weights, biases, scales and shifts.
int64_t count_parameters(const Graph& graph);

}  // namespace nestling
