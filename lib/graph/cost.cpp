#include "graph/cost.h"

namespace nestling {

int64_t count_macs(const Graph& graph) {
  int64_t macs = 0;
  for (const Node& node : graph.nodes) {
    if (!std::holds_alternative<Conv>(node.op) && !std::holds_alternative<Gemm>(node.op)) continue;
    // Every output element is a sum over one filter.
    const Shape& weight = graph.value(node.inputs[1]).shape;
    const int64_t filter = element_count(weight) / weight[0];
    macs += element_count(graph.value(node.output).shape) * filter;
  }
  return macs;
}

int64_t count_parameters(const Graph& graph) {
  int64_t parameters = 0;
  for (const ValueId id : parameters_of(graph)) parameters += element_count(graph.value(id).shape);
  return parameters;
}

}  // namespace nestling
