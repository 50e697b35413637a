#include "graph/cost.h"

namespace nestling {

int64_t count_macs(const Graph& graph) {
  int64_t macs = 0;
  for (const Node& node : graph.nodes) {
    macs += std::visit(
        [&](const auto& op) -> int64_t {
          const Shape& output = graph.value(node.output).shape;
          if constexpr (requires(Inputs in) { op.macs(in, output); }) {
            return op.macs(Inputs(graph, node), output);
          }
          return 0;
        },
        node.op);
  }
  return macs;
}

int64_t count_parameters(const Graph& graph) {
  int64_t parameters = 0;
  for (const ValueId id : parameters_of(graph)) parameters += element_count(graph.value(id).shape);
  return parameters;
}

}  // namespace nestling
