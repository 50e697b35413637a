// The arithmetic on sizes that exporters leave in a file: Shape, Gather, Concat, and what leads
// from there to the shape of a Reshape or the size of a Resize. It is computed while the file is
// read, so that none of it reaches the graph. Includes ONNX's protobuf header: for sources only.
#pragma once

#include <functional>
#include <optional>

#include "graph/onnx_tensor.h"

namespace nestling {

// Sizes and indices are few; what is larger is data, and not known here.
inline constexpr size_t kMaxNumbers = 1 << 16;

// What a node's rule may ask. `numbers(i)` is the i-th input if it is known, `shape(i)` the shape
// of an input that is an activation or known; nothing otherwise.
struct FoldContext {
  const onnx::NodeProto& node;
  std::function<std::optional<Numbers>(int input)> numbers;
  std::function<std::optional<Shape>(int input)> shape;
};

// Whether `op_type` is an operator that can be folded, if its inputs are known.
bool can_fold(const std::string& op_type);

// The output of the node, or nothing if an input is not known. The batch's size counts as NaN.
// Throws Error for attributes that make no sense.
std::optional<Numbers> fold_numbers(const FoldContext& context);

}  // namespace nestling
