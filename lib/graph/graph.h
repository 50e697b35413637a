// The Graph IR: a network as a plain value. Copying a Graph copies the network.
//
// Nodes and values stand in vectors and refer to each other by index. Nodes are in topological
// order. Every node has one output. Constants (weights) are values that carry a Tensor.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "graph/ops/all.h"  // made by the build: Op, a variant of the structs in ops/
#include "graph/tensor.h"

namespace nestling {

using ValueId = int32_t;
using NodeId = int32_t;

// The ONNX name of the operator.
const char* op_name(const Op& op);

struct Value {
  std::string name;
  Shape shape;                     // of one batch: [kBatch, C, H, W] or [kBatch, F] if not constant
  std::optional<Tensor> constant;  // a weight
};

struct Node {
  std::string name;
  Op op;
  std::vector<ValueId> inputs;
  ValueId output = -1;
};

struct Graph {
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;                  // activations that a caller gives
  std::vector<ValueId> outputs;                 // activations that a caller gets
  std::map<std::string, std::string> metadata;  // ONNX metadata_props

  Value& value(ValueId id) { return values[static_cast<size_t>(id)]; }
  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
  const Tensor& constant(ValueId id) const { return *value(id).constant; }
  Tensor& constant(ValueId id) { return *value(id).constant; }

  // Adds a value and returns its id. The names of values are unique; callers choose them.
  ValueId add_value(std::string name, Shape shape);
  ValueId add_constant(std::string name, Tensor tensor);
};

// Appends a node, infers the shape of its output and returns the output's id. The output is named
// after the node. Throws Error naming the node if its inputs do not fit.
ValueId add_node(Graph& graph, std::string name, const Op& op, std::vector<ValueId> inputs);

// The id of the value named `name`, or -1.
ValueId find_value(const Graph& graph, const std::string& name);

// The node that produces `value`, or -1 for inputs and constants.
NodeId producer(const Graph& graph, ValueId value);

// Which input of a node, [N, C] or [N, C, H, W], is a constant with a factor (or an addend, as
// `function` says) for each channel of the other; -1 if none.
int channel_operand(const Graph& graph, const Node& node, Binary::Function function);

// The ids of the trainable constants (weights, biases, scales and shifts; not running statistics),
// in the order in which nodes use them, each once.
std::vector<ValueId> parameters_of(const Graph& graph);

// The graph without the nodes that no output needs and the values that no node uses; ids change.
Graph without_unused(Graph graph);

// The only input. Throws Error if the graph does not take images: one input [kBatch, C, H, W].
struct ImageShape {
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
};
ImageShape image_input(const Graph& graph);

// The number of classes of the only output. Throws Error if the graph is not a classifier: one
// output [kBatch, classes].
int64_t class_count(const Graph& graph);

// Whether a classifier's outputs are probabilities, of a softmax, and not what these are made of.
bool gives_probabilities(const Graph& graph);

}  // namespace nestling
