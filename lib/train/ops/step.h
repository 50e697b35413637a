// Running one node with LibTorch: one function an operator, in a file of its own. Gradients are
// LibTorch's own.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "train/network.h"
#include "train/torch.h"

namespace nestling {

struct TorchStep {
  std::vector<at::Tensor> inputs;
  std::vector<at::Tensor> masks;  // of what trains in each input; undefined where all does
  std::vector<int64_t> shape;     // of the output
  Network::Mode mode;

  const at::Tensor& input(size_t i) const { return inputs[i]; }
  at::Tensor bias() const { return inputs.size() > 2 ? inputs[2] : at::Tensor(); }
};

// The memory format in which convolutions need no reordering: a third of the time of a step. With
// one channel LibTorch cannot tell the formats apart, so the convolutions' outputs are asked too.
inline at::Tensor channels_last(const at::Tensor& x) {
  return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x;
}

// An image with `value` around it.
inline at::Tensor padded(const at::Tensor& x, const Padding& padding, float value) {
  if (padding == Padding{}) return x;
  return at::constant_pad_nd(x, {padding[1], padding[3], padding[0], padding[2]}, value);
}

// Padding for a pooling with windows that reach over the end: rows and columns are added until the
// output of `shape` is covered.
template <typename Pool>
Padding covering(const Pool& op, const Extent& dilation, const at::Tensor& x,
                 const std::vector<int64_t>& shape) {
  Padding padding = op.padding;
  for (size_t i = 0; i < 2; ++i) {
    const auto axis = static_cast<int64_t>(i) + 2;
    const int64_t covered =
        (shape[i + 2] - 1) * op.stride[i] + dilation[i] * (op.kernel[i] - 1) + 1;
    padding[i + 2] = std::max(padding[i + 2], covered - x.size(axis) - padding[i]);
  }
  return padding;
}

#define NESTLING_DECLARE(Op) at::Tensor forward(const Op& op, const TorchStep& step);
NESTLING_FOR_EACH_OP(NESTLING_DECLARE)
#undef NESTLING_DECLARE

}  // namespace nestling
