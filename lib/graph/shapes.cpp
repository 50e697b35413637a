#include "graph/shapes.h"

#include <fmt/ranges.h>
#include <string>

#include "base/error.h"

namespace nestling {
namespace {

// Activations larger than this are refused before anyone allocates them (elements of one image).
constexpr int64_t kMaxActivation = int64_t{1} << 31;

struct Inference {
  const Graph& graph;
  const Node& node;

  [[noreturn]] void refuse(const std::string& what) const {
    fail("node \"{}\" ({}): {}", node.name, op_name(node.op), what);
  }
  const Shape& shape(size_t input) const { return graph.value(node.inputs[input]).shape; }

  void expect_inputs(size_t least, size_t most) const {
    if (node.inputs.size() < least || node.inputs.size() > most) {
      refuse(fmt::format("has {} inputs, which is not supported", node.inputs.size()));
    }
  }
  void expect_constant(size_t input, const Shape& wanted) const {
    if (input >= node.inputs.size()) return;
    if (!graph.value(node.inputs[input]).constant) {
      refuse(fmt::format("input {} must be a constant", input));
    }
    if (shape(input) != wanted) {
      refuse(fmt::format("input {} has shape {}; {} is expected", input, shape(input), wanted));
    }
  }
  // The activation that the node works on, checked to have `rank` dimensions (0: any from 2 on).
  const Shape& activation(size_t input, size_t rank) const {
    if (graph.value(node.inputs[input]).constant) {
      refuse(fmt::format("input {} must not be a constant", input));
    }
    const Shape& x = shape(input);
    if (x.size() < 2 || (rank != 0 && x.size() != rank)) {
      refuse(fmt::format("input {} has shape {}; {} dimensions are expected", input, x,
                         rank == 0 ? "at least 2" : std::to_string(rank)));
    }
    return x;
  }
  int64_t extent(int64_t size, int64_t kernel, int64_t stride, int64_t dilation, int64_t before,
                 int64_t after) const {
    constexpr int64_t kMax = 1 << 20;
    if (kernel < 1 || stride < 1 || dilation < 1 || before < 0 || after < 0 || kernel > kMax ||
        stride > kMax || dilation > kMax || before > kMax || after > kMax) {
      refuse("kernel, stride, dilation or padding is out of range");
    }
    const int64_t window = dilation * (kernel - 1) + 1;
    const int64_t padded = size + before + after;
    if (window > padded) refuse(fmt::format("a window of {} does not fit {}", window, padded));
    return (padded - window) / stride + 1;
  }
  template <typename Pool>
  Shape pooled(const Pool& op) const {
    expect_inputs(1, 1);
    const Shape& x = activation(0, 4);
    for (size_t i = 0; i < 2; ++i) {
      if (op.padding[i] >= op.kernel[i] || op.padding[i + 2] >= op.kernel[i]) {
        refuse("the padding must be smaller than the kernel");
      }
    }
    return {x[0], x[1], extent(x[2], op.kernel[0], op.stride[0], 1, op.padding[0], op.padding[2]),
            extent(x[3], op.kernel[1], op.stride[1], 1, op.padding[1], op.padding[3])};
  }
  Shape same(size_t rank = 0) const {
    expect_inputs(1, 1);
    return activation(0, rank);
  }

  Shape operator()(const Conv& op) const {
    expect_inputs(2, 3);
    const Shape& x = activation(0, 4);
    const Shape& w = shape(1);
    if (w.size() != 4 || w[0] < 1) refuse("the weight must have 4 dimensions");
    if (op.groups != 1 && op.groups != x[1]) {
      refuse(fmt::format("{} groups on {} channels: only 1 group or depthwise is supported",
                         op.groups, x[1]));
    }
    if (w[0] % op.groups != 0) refuse("the filters do not divide into the groups");
    expect_constant(1, {w[0], x[1] / op.groups, op.kernel[0], op.kernel[1]});
    expect_constant(2, {w[0]});
    return {x[0], w[0],
            extent(x[2], op.kernel[0], op.stride[0], op.dilation[0], op.padding[0], op.padding[2]),
            extent(x[3], op.kernel[1], op.stride[1], op.dilation[1], op.padding[1], op.padding[3])};
  }
  Shape operator()(const BatchNorm&) const {
    expect_inputs(5, 5);
    const Shape& x = activation(0, 0);
    for (size_t i = 1; i < 5; ++i) expect_constant(i, {x[1]});
    return x;
  }
  Shape operator()(const Relu&) const { return same(); }
  Shape operator()(const Clip&) const { return same(); }
  Shape operator()(const Softmax&) const { return same(2); }
  Shape operator()(const Add&) const {
    expect_inputs(2, 2);
    const Shape& a = activation(0, 0);
    const Shape& b = activation(1, 0);
    if (a != b) refuse(fmt::format("adds shapes {} and {}", a, b));
    return a;
  }
  Shape operator()(const Concat&) const {
    expect_inputs(1, 1024);
    Shape joined = activation(0, 0);
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      Shape x = activation(i, joined.size());
      joined[1] += x[1];
      x[1] = joined[1];
      if (x != joined) refuse(fmt::format("input {} does not fit the others", i));
    }
    return joined;
  }
  Shape operator()(const MaxPool& op) const { return pooled(op); }
  Shape operator()(const AveragePool& op) const { return pooled(op); }
  Shape operator()(const GlobalAveragePool&) const {
    const Shape x = same(4);
    return {x[0], x[1], 1, 1};
  }
  Shape operator()(const Flatten&) const {
    const Shape x = same();
    return {x[0], element_count(Shape(x.begin() + 1, x.end()))};
  }
  Shape operator()(const Gemm&) const {
    expect_inputs(2, 3);
    const Shape& x = activation(0, 2);
    const Shape& w = shape(1);
    if (w.size() != 2 || w[0] < 1) refuse("the weight must have 2 dimensions");
    expect_constant(1, {w[0], x[1]});
    expect_constant(2, {w[0]});
    return {x[0], w[0]};
  }
};

}  // namespace

Shape output_shape(const Graph& graph, const Node& node) {
  const Inference inference{graph, node};
  Shape shape = std::visit(inference, node.op);
  if (element_count(shape) > kMaxActivation) inference.refuse("its output is too large");
  return shape;
}

void infer_shapes(Graph& graph) {
  for (const ValueId input : graph.inputs) {
    const Value& value = graph.value(input);
    for (size_t i = 0; i < value.shape.size(); ++i) {
      if (value.shape[i] < 1 && !(i == 0 && value.shape[i] == kBatch)) {
        fail("the input \"{}\" has shape {}; all dimensions but the batch must be known",
             value.name, value.shape);
      }
    }
  }
  for (const Node& node : graph.nodes) graph.value(node.output).shape = output_shape(graph, node);
}

}  // namespace nestling
