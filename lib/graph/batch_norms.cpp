#include "graph/batch_norms.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace nestling {
namespace {

constexpr const char* kAdded = "nestling.batch_norms";

// How many nodes use each value; outputs count.
std::vector<int> uses(const Graph& graph) {
  std::vector<int> count(graph.values.size());
  for (const Node& node : graph.nodes) {
    for (const ValueId input : node.inputs) ++count[static_cast<size_t>(input)];
  }
  for (const ValueId output : graph.outputs) ++count[static_cast<size_t>(output)];
  return count;
}

// Whether it is a layer whose weights have one row a filter.
bool has_filters(const Graph& graph, const Node& node) {
  return (std::holds_alternative<Conv>(node.op) || std::holds_alternative<Gemm>(node.op)) &&
         graph.value(node.inputs[1]).constant;
}

bool is_norm(const Node& node) {
  return std::holds_alternative<BatchNorm>(node.op) || std::holds_alternative<GroupNorm>(node.op) ||
         std::holds_alternative<InstanceNorm>(node.op) ||
         std::holds_alternative<LayerNorm>(node.op) || std::holds_alternative<ChannelNorm>(node.op);
}

}  // namespace

std::vector<ValueId> without_batch_norm(const Graph& graph) {
  std::vector<ValueId> found;
  for (const Node& node : graph.nodes) {
    if (is_norm(node)) return {};
    if (!std::holds_alternative<Conv>(node.op)) continue;
    const Shape& y = graph.value(node.output).shape;
    const bool is_output =
        std::find(graph.outputs.begin(), graph.outputs.end(), node.output) != graph.outputs.end();
    if (!is_output && y[2] * y[3] > 1) found.push_back(node.output);
  }
  return found;
}

Graph add_batch_norms(const Graph& graph, const std::map<ValueId, ChannelStatistics>& statistics) {
  Graph result = graph;
  result.nodes.clear();
  std::map<ValueId, ValueId> instead;
  for (Node node : graph.nodes) {
    for (ValueId& input : node.inputs) {
      if (const auto found = instead.find(input); found != instead.end()) input = found->second;
    }
    result.nodes.push_back(std::move(node));
    const ValueId output = result.nodes.back().output;
    const auto found = statistics.find(output);
    if (found == statistics.end()) continue;
    std::string name = result.nodes.back().name + ".bn";
    while (find_value(result, name) >= 0) name += "_again";  // that of the one that was folded
    const BatchNorm norm;
    const auto& [mean, variance] = found->second;
    std::vector<float> deviation;
    deviation.reserve(variance.size());
    for (const float v : variance) deviation.push_back(std::sqrt(v + norm.epsilon));
    const auto constant = [&](const char* part, const std::vector<float>& data) {
      return result.add_constant(name + part, {{std::ssize(data)}, data});
    };
    instead[output] = add_node(result, name, norm,
                               {output, constant(".scale", deviation), constant(".shift", mean),
                                constant(".mean", mean), constant(".variance", variance)});
  }
  result.metadata[kAdded] = "added";
  return result;
}

bool has_added_batch_norms(const Graph& graph) { return graph.metadata.contains(kAdded); }

Graph fold_batch_norms(const Graph& graph) {
  Graph result = graph;
  const std::vector<int> used = uses(graph);
  const auto used_once = [&](ValueId id) { return used[static_cast<size_t>(id)] == 1; };
  std::map<ValueId, size_t> layers;  // by output
  for (size_t n = 0; n < result.nodes.size(); ++n) {
    Node& node = result.nodes[n];
    if (has_filters(result, node) && used_once(node.output) && used_once(node.inputs[1])) {
      layers[node.output] = n;
    }
    if (!std::holds_alternative<BatchNorm>(node.op) || !layers.contains(node.inputs[0])) continue;
    Node& layer = result.nodes[layers[node.inputs[0]]];
    const auto of_norm = [&](size_t i) -> const std::vector<float>& {
      return result.constant(node.inputs[i]).data;
    };
    const float epsilon = std::get<BatchNorm>(node.op).epsilon;
    Tensor& weight = result.constant(layer.inputs[1]);
    const auto filters = static_cast<size_t>(weight.shape[0]);
    std::vector<float> bias(filters);
    if (layer.inputs.size() > 2) bias = result.constant(layer.inputs[2]).data;
    for (size_t f = 0; f < filters; ++f) {
      const float scale = of_norm(1)[f] / std::sqrt(of_norm(4)[f] + epsilon);
      const size_t each = weight.data.size() / filters;
      for (size_t i = 0; i < each; ++i) weight.data[f * each + i] *= scale;
      bias[f] = (bias[f] - of_norm(3)[f]) * scale + of_norm(2)[f];
    }
    // The layer moves to where the batch norm was; its own bias may be another layer's, too.
    const ValueId new_bias = result.add_constant(graph.value(node.inputs[0]).name + ".folded_bias",
                                                 {{std::ssize(bias)}, bias});
    layer.inputs.resize(2);
    layer.inputs.push_back(new_bias);
    layer.output = node.output;
    node.inputs.clear();  // to be removed
  }
  std::erase_if(result.nodes, [](const Node& node) { return node.inputs.empty(); });
  result.metadata.erase(kAdded);
  return without_unused(std::move(result));
}

}  // namespace nestling
