// Activations that are bounds of the node before them.
#pragma once

#include "runtime/package_format.h"

#include "graph/graph.h"

namespace nestling {

// Sets a node's bounds to those of a Relu or Clip; false for other functions.
inline bool set_bounds(runtime::NodeSpec& spec, const Unary& op) {
  if (op.function == Unary::Function::relu) {
    spec.low = 0;
  } else if (op.function == Unary::Function::clip) {
    spec.low = op.alpha;
    spec.high = op.beta;
  } else {
    return false;
  }
  return true;
}

}  // namespace nestling
