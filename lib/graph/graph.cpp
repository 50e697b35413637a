#include "graph/graph.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "graph/shapes.h"

namespace nestling {

int64_t element_count(const Shape& shape) {
  constexpr int64_t kMaxElements = int64_t{1} << 40;
  int64_t count = 1;
  for (const int64_t dimension : shape) {
    if (dimension == kBatch) continue;
    if (dimension < 0) fail("a shape has the negative dimension {}", dimension);
    if (dimension > 0 && count > kMaxElements / dimension) fail("a tensor is too large");
    count *= dimension;
  }
  return count;
}

const char* op_name(const Op& op) {
  return std::visit([](const auto& rules) { return rules.name(); }, op);
}

ValueId Graph::add_value(std::string value_name, Shape shape) {
  values.push_back({std::move(value_name), std::move(shape), std::nullopt});
  return static_cast<ValueId>(values.size() - 1);
}

ValueId Graph::add_constant(std::string value_name, Tensor tensor) {
  Shape shape = tensor.shape;
  values.push_back({std::move(value_name), std::move(shape), std::move(tensor)});
  return static_cast<ValueId>(values.size() - 1);
}

ValueId add_node(Graph& graph, std::string name, const Op& op, std::vector<ValueId> inputs) {
  Node node{std::move(name), op, std::move(inputs), -1};
  Shape shape = output_shape(graph, node);
  node.output = graph.add_value(node.name, std::move(shape));
  graph.nodes.push_back(std::move(node));
  return graph.nodes.back().output;
}

ValueId find_value(const Graph& graph, const std::string& name) {
  const auto found = std::find_if(graph.values.begin(), graph.values.end(),
                                  [&](const Value& value) { return value.name == name; });
  return found == graph.values.end() ? -1 : static_cast<ValueId>(found - graph.values.begin());
}

NodeId producer(const Graph& graph, ValueId value) {
  const auto found = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                  [&](const Node& node) { return node.output == value; });
  return found == graph.nodes.end() ? -1 : static_cast<NodeId>(found - graph.nodes.begin());
}

int channel_operand(const Graph& graph, const Node& node, Binary::Function function) {
  const auto* binary = std::get_if<Binary>(&node.op);
  const Shape& y = graph.value(node.output).shape;
  if (binary == nullptr || binary->function != function || (y.size() != 2 && y.size() != 4)) {
    return -1;
  }
  Shape wanted = y;
  for (size_t axis = 0; axis < y.size(); ++axis) wanted[axis] = axis == 1 ? y[1] : 1;
  for (const int i : {0, 1}) {
    const Value& value = graph.value(node.inputs[static_cast<size_t>(i)]);
    Shape shape = value.shape;
    shape.insert(shape.begin(), wanted.size() - std::min(shape.size(), wanted.size()), 1);
    const Value& other = graph.value(node.inputs[static_cast<size_t>(1 - i)]);
    if (value.constant && shape == wanted && other.shape == y) return i;
  }
  return -1;
}

std::vector<ValueId> parameters_of(const Graph& graph) {
  std::vector<ValueId> parameters;
  std::set<ValueId> seen;
  for (const Node& node : graph.nodes) {
    const size_t end = std::visit(
        [&](const auto& op) {
          if constexpr (requires { op.parameters(); }) return op.parameters();
          return node.inputs.size();
        },
        node.op);
    for (size_t i = 0; i < end; ++i) {
      const ValueId id = node.inputs[i];
      if (graph.value(id).constant && seen.insert(id).second) parameters.push_back(id);
    }
  }
  return parameters;
}

Graph without_unused(Graph graph) {
  std::set<ValueId> used(graph.outputs.begin(), graph.outputs.end());
  used.insert(graph.inputs.begin(), graph.inputs.end());
  std::vector<Node> nodes;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (!used.contains(node->output)) continue;
    used.insert(node->inputs.begin(), node->inputs.end());
    nodes.push_back(std::move(*node));
  }
  std::reverse(nodes.begin(), nodes.end());
  graph.nodes = std::move(nodes);
  std::vector<ValueId> moved(graph.values.size(), -1);
  std::vector<Value> values;
  for (size_t v = 0; v < graph.values.size(); ++v) {
    if (!used.contains(static_cast<ValueId>(v))) continue;
    moved[v] = static_cast<ValueId>(values.size());
    values.push_back(std::move(graph.values[v]));
  }
  graph.values = std::move(values);
  const auto move = [&](ValueId& id) { id = moved[static_cast<size_t>(id)]; };
  for (Node& node : graph.nodes) {
    for (ValueId& input : node.inputs) move(input);
    move(node.output);
  }
  for (ValueId& id : graph.inputs) move(id);
  for (ValueId& id : graph.outputs) move(id);
  return graph;
}

ImageShape image_input(const Graph& graph) {
  if (graph.inputs.size() != 1) {
    fail("{} has {} inputs; it should take images", graph.name, graph.inputs.size());
  }
  const Shape& in = graph.value(graph.inputs[0]).shape;
  if (in.size() == 4 && in[0] != kBatch) {
    fail("{} is for batches of {}: an operator mixes a batch's images, so it can only be run",
         graph.name, in[0]);
  }
  if (in.size() != 4) {
    fail("the input of {} is not a batch of images [N, C, H, W]", graph.name);
  }
  return {in[1], in[2], in[3]};
}

int64_t class_count(const Graph& graph) {
  if (graph.outputs.size() != 1) {
    fail("{} has {} outputs; a classifier has one", graph.name, graph.outputs.size());
  }
  const Shape& out = graph.value(graph.outputs[0]).shape;
  if (out.size() != 2 || out[0] != kBatch) {
    fail("the output of {} is not [N, classes]", graph.name);
  }
  return out[1];
}

bool gives_probabilities(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
    const auto* softmax = std::get_if<Softmax>(&node.op);
    return softmax != nullptr && !softmax->log && node.output == graph.outputs[0];
  });
}

}  // namespace nestling
