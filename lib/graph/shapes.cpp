#include "graph/shapes.h"

namespace nestling {

Shape output_shape(const Graph& graph, const Node& node) {
  // Larger activations are refused before anyone allocates them (elements of one image).
  constexpr int64_t kMaxActivation = int64_t{1} << 31;
  const Inputs inputs(graph, node);
  Shape shape = std::visit([&](const auto& op) { return op.shape(inputs); }, node.op);
  if (element_count(shape) > kMaxActivation) inputs.refuse("its output is too large");
  return shape;
}

}  // namespace nestling
