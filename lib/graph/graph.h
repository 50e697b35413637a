// The Graph IR: a network as a plain value. Copying a Graph copies the network.
//
// Nodes and values stand in vectors and refer to each other by index. Nodes are in topological
// order. Every node has one output. Constants (weights) are values that carry a Tensor.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace nestling {

using ValueId = int32_t;
using NodeId = int32_t;
using Shape = std::vector<int64_t>;

// The size of a symbolic batch dimension (always dimension 0 of an activation).
inline constexpr int64_t kBatch = -1;

// A dense float32 tensor, row-major. data.size() is the product of shape.
struct Tensor {
  Shape shape;
  std::vector<float> data;

  bool operator==(const Tensor&) const = default;
};

// The product of the dimensions, 1 for a scalar; kBatch counts as 1. Throws Error if another
// dimension is negative or the product is over 2^40.
int64_t element_count(const Shape& shape);

// Two-dimensional windows: {height, width}.
using Extent = std::array<int64_t, 2>;
// {top, left, bottom, right}, as ONNX orders them.
using Padding = std::array<int64_t, 4>;

// inputs: x [N, C, H, W], weight [M, C / groups, kernel], optional bias [M]. groups is 1, or C for
// a depthwise convolution.
struct Conv {
  Extent kernel{1, 1};
  Extent stride{1, 1};
  Extent dilation{1, 1};
  Padding padding{};
  int64_t groups = 1;
};

// inputs: x, scale [C], shift [C], mean [C], variance [C].
struct BatchNorm {
  float epsilon = 1e-5F;
};

struct Relu {};

struct Clip {
  float min = 0;
  float max = 6;
};

// inputs: two values of the same shape.
struct Add {};

// inputs: two or more values, joined along the channels (axis 1).
struct Concat {};

struct MaxPool {
  Extent kernel{1, 1};
  Extent stride{1, 1};
  Padding padding{};
};

struct AveragePool {
  Extent kernel{1, 1};
  Extent stride{1, 1};
  Padding padding{};
  bool count_padding = false;
};

// [N, C, H, W] -> [N, C, 1, 1].
struct GlobalAveragePool {};

// [N, ...] -> [N, product].
struct Flatten {};

// y = x weight^T + bias. inputs: x [N, K], weight [M, K], optional bias [M].
struct Gemm {};

// Over axis 1.
struct Softmax {};

using Op = std::variant<Conv, BatchNorm, Relu, Clip, Add, Concat, MaxPool, AveragePool,
                        GlobalAveragePool, Flatten, Gemm, Softmax>;

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

// The ids of the trainable constants (weights, biases, scales and shifts; not running statistics),
// in the order in which nodes use them, each once.
std::vector<ValueId> parameters_of(const Graph& graph);

// The graph without the constants that no node uses; ids change.
Graph without_unused_constants(const Graph& graph);

// The channels of the only input and the number of classes of the only output. Throws Error if the
// graph is not a classifier: one input [kBatch, C, H, W] and one output [kBatch, classes].
struct ClassifierShape {
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t classes = 0;
};
ClassifierShape classifier_shape(const Graph& graph);

}  // namespace nestling
