// Sliding windows of poolings.
#pragma once

#include <algorithm>

#include "runtime/operator.h"

namespace nestling::runtime {

// What a window of a pooling has inside its input.
struct WindowCount {
  size_t inside = 0, padded = 0;  // elements; with those of the padding
};

// Calls fold(rows, how many, to, channels), maybe several times, for the pixels of x that lie
// inside the window of an output pixel, which `to` holds.
template <typename Fold>
WindowCount fold_window(const NodeSpec& node, const Image& x, const Image& y, size_t pixel,
                        const Fold& fold, float* to) {
  constexpr size_t kRows = 32;
  const float* rows[kRows];
  size_t row_count = 0;
  const auto top = static_cast<int64_t>(pixel / y.width * node.stride[0]) - node.padding[0];
  const auto left = static_cast<int64_t>(pixel % y.width * node.stride[1]) - node.padding[1];
  const auto height = static_cast<int64_t>(x.height), width = static_cast<int64_t>(x.width);
  WindowCount count;
  for (uint32_t u = 0; u < node.kernel[0]; ++u) {
    const int64_t row = top + int64_t{u} * node.dilation[0];
    if (row >= height + node.padding[2]) break;
    for (uint32_t v = 0; v < node.kernel[1]; ++v) {
      const int64_t column = left + int64_t{v} * node.dilation[1];
      if (column >= width + node.padding[3]) break;
      ++count.padded;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      ++count.inside;
      rows[row_count++] = x.data + static_cast<size_t>(row * width + column) * x.stride;
      if (row_count == kRows) {
        fold(rows, row_count, to, y.channels);
        row_count = 0;
      }
    }
  }
  fold(rows, row_count, to, y.channels);
  return count;
}

inline const char* check_pool(const NodeSpec& node, const std::vector<Shape>& in,
                              const Shape& out) {
  if (in.size() != 1 || out.size() != 4 || in[0].size() != 4 || in[0][1] != out[1]) {
    return "a pooling changes the channels";
  }
  return check_window(node, in[0], out);
}

// Calls pool_pixel(x, y, pixel) for every pixel of every image.
template <typename F>
void run_pool(const Step& step, const ThreadPool& pool, const F& pool_pixel) {
  for (size_t n = 0; n < image_count(step.y); ++n) {
    const Image x = image(step.inputs[0], n), y = image(step.y, n);
    pool.parallel(y.height * y.width, 8, [&](size_t first, size_t last) {
      for (size_t pixel = first; pixel < last; ++pixel) pool_pixel(x, y, pixel);
    });
  }
}

}  // namespace nestling::runtime
