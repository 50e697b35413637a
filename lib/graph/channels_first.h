// Images whose channels were moved to the last axis, for operators that want them there.
#pragma once

#include "graph/graph.h"

namespace nestling {

// The same network, with what is computed between a Transpose of [N, C, H, W] to [N, H, W, C] and
// one back computed on [N, C, H, W], so that neither is left: Gemm becomes a convolution, a layer
// norm of the last axis one of channels with a scale and a shift, functions of elements stay what
// they are. Anything else still has its transposed input. Constants keep their names.
Graph channels_first(Graph graph);

}  // namespace nestling
