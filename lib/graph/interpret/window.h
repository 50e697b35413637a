// Sliding windows of poolings.
#pragma once

#include <vector>

#include "graph/interpret/step.h"

namespace nestling {

// y[i] = reduce(the values of x inside the i-th window, how many of its elements are inside x and
// its padding).
template <typename Pool, typename F>
void slide(const Pool& op, const Extent& dilation, const Step& step, const F& reduce) {
  const Tensor& x = step.input(0);
  const int64_t height = x.shape[2], width = x.shape[3];
  std::vector<float> window;
  size_t at = 0;
  for (int64_t plane = 0; plane < x.shape[0] * x.shape[1]; ++plane) {
    for (int64_t i = 0; i < step.y.shape[2]; ++i) {
      for (int64_t j = 0; j < step.y.shape[3]; ++j, ++at) {
        window.clear();
        int64_t padded = 0;
        for (int64_t u = 0; u < op.kernel[0]; ++u) {
          const int64_t row = i * op.stride[0] + u * dilation[0] - op.padding[0];
          for (int64_t v = 0; v < op.kernel[1]; ++v) {
            const int64_t column = j * op.stride[1] + v * dilation[1] - op.padding[1];
            if (row < height + op.padding[2] && column < width + op.padding[3]) ++padded;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            window.push_back(x.data[static_cast<size_t>((plane * height + row) * width + column)]);
          }
        }
        step.y.data[at] = reduce(window, padded);
      }
    }
  }
}

}  // namespace nestling
