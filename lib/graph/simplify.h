// What exporters write in several nodes and the graph knows as one.
#pragma once

#include "graph/graph.h"

namespace nestling {

// The same network, simpler:
//
//   Gemm -> Add (constant [M])                       Gemm with a bias
//   Reshape -> Transpose -> Reshape (of channels)    Shuffle
//   Reshape -> InstanceNormalization -> Reshape (of channels, scaled by 1)   GroupNormalization
//   (x - mean) / sqrt(mean of its squares + epsilon), ...   LayerNormalization
//   BatchNormalization -> Mul, Add (constant [C, 1, 1])    the batch norm's scale and shift
//   Add 3 -> Clip to [0, 6] -> Div 6                 hard sigmoid
//   HardSigmoid(x) -> Mul x, however written         hard swish
//   Softplus(x) -> Tanh -> Mul x                     mish
//   x / sqrt 2 -> Erf -> Add 1 -> Mul x -> Mul 0.5   gelu
//
// What images are transposed for, and back, is done as they are (graph/channels_first.h). Nodes
// that no output needs and constants that no node uses are gone. Values keep their names.
Graph simplified(Graph graph);

}  // namespace nestling
