// One node of the Graph on its way into a package: one function an operator, in a file of its own,
// appends the runtime's nodes that compute it.
#pragma once

#include <string>

#include "runtime/functions.h"

#include "package/lowering.h"

namespace nestling {

// What those functions may ask and do. Values are numbers in the header.
class LoweringStep {
 public:
  virtual ~LoweringStep() = default;

  virtual const Graph& graph() const = 0;
  virtual const Node& node() const = 0;
  const Shape& in_shape(size_t input) const { return graph().value(node().inputs[input]).shape; }
  const Shape& out_shape() const { return graph().value(node().output).shape; }
  // The weight and bias of a layer, its inputs 1 and 2.
  LayerSource weights() const;
  [[noreturn]] void refuse(const std::string& what) const;

  // The header's value for an input, an activation or a constant, and for the node's output.
  virtual uint32_t input(size_t input) = 0;
  // A runtime node with these inputs; its output is the node's, or that of the activation after it
  // that becomes its bounds.
  virtual void append(runtime::NodeSpec spec, std::vector<uint32_t> inputs) = 0;
  // The same with weights, which train: takes in what is behind the node, a batch norm, or a
  // product with and a sum of a number for each channel. Its input is input 0 if it names none.
  virtual void append_layer(runtime::NodeSpec spec, LayerSource source) = 0;
  // A runtime node whose output, shaped as the node's, is used by the next one.
  virtual uint32_t append_inner(runtime::NodeSpec spec, std::vector<uint32_t> inputs) = 0;
  // Values whose sizes along an axis of input 0 are together that of its first `count` places at
  // every capacity; none if that is `count` at each.
  virtual std::vector<uint32_t> leading_parts(size_t axis, int64_t count) = 0;
  // A constant with axes of the shape and labels of axis `axis` of the node's output; others are 1.
  virtual uint32_t channel_constant(size_t axis, ConstantSource source) = 0;
  // The image whose flattened elements input 0 is, if only fully connected layers see them; it is
  // then input(0).
  virtual const Shape* flattened_image() const = 0;
};

// As a package numbers them; {height, width} or {top, left, bottom, right}.
template <size_t N>
std::array<uint32_t, N> narrow(const std::array<int64_t, N>& numbers) {
  std::array<uint32_t, N> result;
  for (size_t i = 0; i < N; ++i) result[i] = static_cast<uint32_t>(numbers[i]);
  return result;
}

// A node with the window of a convolution or a pooling.
template <typename Op>
runtime::NodeSpec window_spec(const char* name, const Op& op) {
  runtime::NodeSpec spec;
  spec.op = name;
  spec.kernel = narrow(op.kernel);
  spec.stride = narrow(op.stride);
  spec.padding = narrow(op.padding);
  if constexpr (requires { op.dilation; }) spec.dilation = narrow(op.dilation);
  return spec;
}

// Adds a batch norm to what a layer's scales and shifts come from.
void take_norm(LayerSource& source, const Graph& graph, const Node& norm);

inline runtime::NodeSpec spec_of(const char* name, std::vector<int64_t> numbers = {},
                                 std::vector<float> reals = {}) {
  runtime::NodeSpec spec;
  spec.op = name;
  spec.numbers = std::move(numbers);
  spec.reals = std::move(reals);
  return spec;
}

inline runtime::NodeSpec spec_of(runtime::BinaryFunction function) {
  return spec_of("binary", {static_cast<int64_t>(function)});
}

#define NESTLING_DECLARE(Op) void lower(const Op& op, LoweringStep& step);
NESTLING_FOR_EACH_OP(NESTLING_DECLARE)
#undef NESTLING_DECLARE

}  // namespace nestling
