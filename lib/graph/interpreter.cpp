#include "graph/interpreter.h"

#include "base/error.h"
#include "graph/interpret/step.h"

namespace nestling {

Tensor interpret(const Op& op, const std::vector<const Tensor*>& inputs, Shape shape) {
  Tensor y{std::move(shape), {}};
  y.data.assign(static_cast<size_t>(element_count(y.shape)), 0.0F);
  const Step step{inputs, y};
  std::visit([&](const auto& which) { interpret(which, step); }, op);
  return y;
}

std::vector<Tensor> interpret_all(const Graph& graph, const std::vector<Tensor>& inputs) {
  if (graph.inputs.size() != inputs.size()) {
    fail("{} has {} inputs, not {}", graph.name, graph.inputs.size(), inputs.size());
  }
  int64_t batch = 1;
  std::vector<Tensor> values(graph.values.size());
  std::vector<const Tensor*> present(graph.values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    present[i] = graph.values[i].constant ? &*graph.values[i].constant : &values[i];
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& input = inputs[i];
    Shape expected = graph.value(graph.inputs[i]).shape;
    if (!expected.empty() && expected[0] == kBatch && !input.shape.empty()) {
      expected[0] = batch = input.shape[0];
    }
    if (input.shape != expected ||
        input.data.size() != static_cast<size_t>(element_count(input.shape))) {
      fail("the input does not have the shape that {} expects", graph.name);
    }
    values[static_cast<size_t>(graph.inputs[i])] = input;
  }
  for (const Node& node : graph.nodes) {
    std::vector<const Tensor*> arguments;
    for (const ValueId id : node.inputs) arguments.push_back(present[static_cast<size_t>(id)]);
    Shape shape = graph.value(node.output).shape;
    if (!shape.empty() && shape[0] == kBatch) shape[0] = batch;
    values[static_cast<size_t>(node.output)] = interpret(node.op, arguments, std::move(shape));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (graph.values[i].constant) values[i] = *graph.values[i].constant;
  }
  return values;
}

std::vector<Tensor> interpret(const Graph& graph, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> values = interpret_all(graph, inputs);
  std::vector<Tensor> outputs;
  for (const ValueId id : graph.outputs) outputs.push_back(values[static_cast<size_t>(id)]);
  return outputs;
}

std::vector<Tensor> interpret(const Graph& graph, const Tensor& input) {
  return interpret(graph, std::vector<Tensor>{input});
}

}  // namespace nestling
