// What exporters write in several nodes and the graph knows as one.
#pragma once

#include "graph/graph.h"

namespace nestling {

// The same network, simpler:
//
//   Gemm -> Add (constant [M])                       Gemm with a bias
//   Reshape -> Transpose -> Reshape (of channels)    Shuffle
//   HardSigmoid(x) -> Mul x                          hard swish
//   Softplus(x) -> Tanh -> Mul x                     mish
//   x / sqrt 2 -> Erf -> Add 1 -> Mul x -> Mul 0.5   gelu
//
// Nodes that no output needs and constants that no node uses are gone. Values keep their names.
Graph simplified(Graph graph);

}  // namespace nestling
