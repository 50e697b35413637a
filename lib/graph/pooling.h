// What MaxPool and AveragePool have in common.
#pragma once

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ops/rules.h"

namespace nestling {

template <typename Pool>
Shape pooled(const Inputs& in, const Pool& op, const Extent& dilation) {
  in.expect(1, 1);
  const Shape& x = in.expect_rank(0, 4);
  Shape y = {x[0], x[1], 0, 0};
  for (size_t i = 0; i < 2; ++i) {
    // Every window sees an element.
    const int64_t span = dilation[i] * (op.kernel[i] - 1) + 1;
    if (op.padding[i] >= span || op.padding[i + 2] >= span) {
      in.refuse("the padding must be smaller than the kernel");
    }
    y[i + 2] = in.window(x[i + 2], op.kernel[i], op.stride[i], dilation[i], op.padding[i],
                         op.padding[i + 2], op.ceil);
  }
  return y;
}

template <typename Pool>
void read_pooling(OnnxNode& node, Pool& op, const Extent& dilation) {
  if (node.shape(0).size() != 4) fail("is not a pooling of images");
  op.kernel = node.array<2>("kernel_shape", op.kernel);
  op.stride = node.array<2>("strides", {1, 1});
  op.padding = node.padding(op.kernel, op.stride, dilation);
  op.ceil = node.integer("ceil_mode", 0) != 0;
}

template <typename Pool>
void write_pooling(OnnxWriter& to, const Pool& op) {
  to.integers("kernel_shape", op.kernel);
  to.integers("strides", op.stride);
  to.integers("pads", op.padding);
  to.integer("ceil_mode", int64_t{op.ceil});
}

}  // namespace nestling
