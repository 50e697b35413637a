#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/kernels.h"

namespace nestling::runtime {
namespace {

// Calls visit(pixel of x) for every pixel inside the window of an output pixel; returns how many.
template <typename F>
size_t for_window(const NodeSpec& node, const Activation& x, const Activation& y, size_t pixel,
                  const F& visit) {
  const auto top = static_cast<int64_t>(pixel / y.width * node.stride[0]) - node.padding[0];
  const auto left = static_cast<int64_t>(pixel % y.width * node.stride[1]) - node.padding[1];
  const int64_t bottom = std::min<int64_t>(top + node.kernel[0], static_cast<int64_t>(x.height));
  const int64_t right = std::min<int64_t>(left + node.kernel[1], static_cast<int64_t>(x.width));
  size_t count = 0;
  for (int64_t i = std::max<int64_t>(top, 0); i < bottom; ++i) {
    for (int64_t j = std::max<int64_t>(left, 0); j < right; ++j, ++count) {
      visit(x.data + (static_cast<size_t>(i) * x.width + static_cast<size_t>(j)) * x.channels);
    }
  }
  return count;
}

void clamp_row(const NodeSpec& node, float* row, size_t count) {
  for (size_t c = 0; c < count; ++c) row[c] = std::min(std::max(row[c], node.low), node.high);
}

size_t size(const Activation& a) { return a.height * a.width * a.channels; }

}  // namespace

void max_pool(const NodeSpec& node, const Activation& x, const Activation& y, size_t first,
              size_t last) {
  for (size_t pixel = first; pixel < last; ++pixel) {
    float* to = y.data + pixel * y.channels;
    std::fill_n(to, y.channels, -std::numeric_limits<float>::infinity());
    for_window(node, x, y, pixel, [&](const float* from) {
      for (size_t c = 0; c < y.channels; ++c) to[c] = std::max(to[c], from[c]);
    });
    clamp_row(node, to, y.channels);
  }
}

void average_pool(const NodeSpec& node, const Activation& x, const Activation& y, size_t first,
                  size_t last) {
  for (size_t pixel = first; pixel < last; ++pixel) {
    float* to = y.data + pixel * y.channels;
    std::fill_n(to, y.channels, 0.0F);
    const size_t seen = for_window(node, x, y, pixel, [&](const float* from) {
      for (size_t c = 0; c < y.channels; ++c) to[c] += from[c];
    });
    const size_t count = node.count_padding ? size_t{node.kernel[0]} * node.kernel[1] : seen;
    for (size_t c = 0; c < y.channels; ++c) to[c] /= static_cast<float>(count);
    clamp_row(node, to, y.channels);
  }
}

void add(const NodeSpec& node, const Activation& a, const Activation& b, const Activation& y) {
  for (size_t i = 0; i < size(y); ++i) y.data[i] = a.data[i] + b.data[i];
  clamp_row(node, y.data, size(y));
}

void clamp(const NodeSpec& node, const Activation& x, const Activation& y) {
  std::copy_n(x.data, size(x), y.data);
  clamp_row(node, y.data, size(y));
}

void softmax(const Activation& x, const Activation& y) {
  const float highest = *std::max_element(x.data, x.data + x.channels);
  float sum = 0;
  for (size_t c = 0; c < x.channels; ++c) sum += y.data[c] = std::exp(x.data[c] - highest);
  for (size_t c = 0; c < x.channels; ++c) y.data[c] /= sum;
}

}  // namespace nestling::runtime
