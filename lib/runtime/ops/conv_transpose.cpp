// inputs: x [N, C, H, W], weight [C, M / groups, kernel], optional bias [M]; numbers: {groups}.
// What padding cuts off and output padding adds follows from the output's size.
#include <algorithm>

#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (in.size() < 2 || in.size() > 3 || in[0].size() != 4 || in[1].size() != 4 || out.size() != 4 ||
      node.numbers.size() != 1) {
    return "a transposed convolution does not fit";
  }
  const Shape &x = in[0], &w = in[1];
  const int64_t groups = node.numbers[0];
  if (groups < 1 || groups > kMaxChannels || x[0] != out[0] || w[0] != x[1] || x[1] % groups != 0 ||
      w[1] * groups != out[1] || w[2] != node.kernel[0] || w[3] != node.kernel[1] ||
      (in.size() == 3 && in[2] != Shape{out[1]})) {
    return "a transposed convolution does not fit";
  }
  for (size_t i = 0; i < 2; ++i) {
    if (node.stride[i] < 1 || node.dilation[i] < 1 || node.stride[i] > kMaxExtent ||
        node.dilation[i] > kMaxExtent || node.padding[i] > kMaxExtent) {
      return "a transposed convolution is out of range";
    }
  }
  return nullptr;
}

// Row by row of the output: which rows of x reach it, and through which row of the kernel.
void run(const Step& step, const ThreadPool& pool) {
  const NodeSpec& node = *step.node;
  const Tensor& w = step.inputs[1];
  const auto groups = static_cast<size_t>(node.numbers[0]);
  for (size_t n = 0; n < image_count(step.y); ++n) {
    const Image x = image(step.inputs[0], n), y = image(step.y, n);
    const size_t filters = y.channels / groups, channels = x.channels / groups;
    // The place of x that reaches output place `at` through `tap`, or -1.
    const auto source = [&](size_t i, size_t at, size_t tap, size_t size) -> int64_t {
      const int64_t from =
          static_cast<int64_t>(at) + node.padding[i] - static_cast<int64_t>(tap) * node.dilation[i];
      if (from < 0 || from % node.stride[i] != 0) return -1;
      return from / node.stride[i] < static_cast<int64_t>(size) ? from / node.stride[i] : -1;
    };
    pool.parallel(y.height * y.width, 8, [&](size_t first, size_t last) {
      for (size_t pixel = first; pixel < last; ++pixel) {
        float* to = y.data + pixel * y.channels;
        if (step.inputs.size() > 2) {
          std::copy_n(step.inputs[2].data, y.channels, to);
        } else {
          std::fill_n(to, y.channels, 0.0F);
        }
        for (size_t u = 0; u < node.kernel[0]; ++u) {
          const int64_t row = source(0, pixel / y.width, u, x.height);
          if (row < 0) continue;
          for (size_t v = 0; v < node.kernel[1]; ++v) {
            const int64_t column = source(1, pixel % y.width, v, x.width);
            if (column < 0) continue;
            const float* from =
                x.data +
                (static_cast<size_t>(row) * x.width + static_cast<size_t>(column)) * x.channels;
            const float* tap = w.data + u * w.strides[2] + v * w.strides[3];
            for (size_t g = 0; g < groups; ++g) {
              for (size_t c = g * channels; c < (g + 1) * channels; ++c) {
                const float* filter = tap + c * w.strides[0];
                float* sums = to + g * filters;
                for (size_t m = 0; m < filters; ++m) sums[m] += from[c] * filter[m * w.strides[1]];
              }
            }
          }
        }
      }
    });
  }
}

}  // namespace

extern const Operator op_conv_transpose = {"conv_transpose", Weights::none, check, run};

}  // namespace nestling::runtime
