#include "train/ops/step.h"

namespace nestling {

// The full result, of which the borders are cut off: LibTorch knows symmetric padding only.
at::Tensor forward(const ConvTranspose& op, const TorchStep& step) {
  const at::Tensor full =
      at::conv_transpose2d(step.input(0), step.input(1), step.bias(), op.stride,
                           at::IntArrayRef{0, 0}, at::IntArrayRef{0, 0}, op.groups, op.dilation);
  at::Tensor y = full;
  for (size_t i = 0; i < 2; ++i) {
    const auto axis = static_cast<int64_t>(i) + 2;
    const int64_t end = op.padding[i] + step.shape[i + 2];
    const int64_t there = std::min(end, full.size(axis));
    y = y.narrow(axis, op.padding[i], there - op.padding[i]);
    if (there == end) continue;
    // What output_padding adds sees no input: it is the bias alone.
    std::vector<int64_t> more = y.sizes().vec();
    more[i + 2] = end - there;
    at::Tensor rest = at::zeros(more, y.options());
    if (step.bias().defined()) rest = rest + step.bias().view({1, -1, 1, 1});
    y = at::cat({y, rest}, axis);
  }
  return channels_last(y);
}

}  // namespace nestling
