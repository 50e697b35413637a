// Tensors of the runtime: an address, the axes that ONNX gives them, and how far apart their
// elements lie.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/package_format.h"
#include "runtime/thread_pool.h"

namespace nestling::runtime {

// Bytes that a kernel may read, and ignore, behind the last element of an activation.
inline constexpr size_t kSlack = 64;

// Floats of a line of the cache.
inline constexpr size_t kLine = 16;

// Floats rounded up to whole cache lines.
inline constexpr size_t align_floats(size_t floats) { return (floats + kLine - 1) / kLine * kLine; }

// Floats of a row of `channels` numbers that vectors may read beyond.
inline constexpr size_t padded_row(size_t channels) {
  return align_floats(channels + kSlack / sizeof(float));
}

using Shape = std::vector<uint32_t>;

inline size_t element_count(const Shape& shape) {
  size_t count = 1;
  for (const uint32_t size : shape) count *= size;
  return count;
}

struct Tensor {
  float* data = nullptr;
  Shape shape;
  std::vector<size_t> strides;  // by axis

  Tensor() = default;
  // Images channels last, all else in order. The pixels of an image can lie `pixel_stride` floats
  // apart, more than it has channels: then it is a part of the channels of another one.
  Tensor(float* address, Shape sizes, size_t pixel_stride = 0);
  size_t elements() const { return element_count(shape); }
};

// One image as the kernels see it, stored [height, width, channels]; a pixel begins `stride` floats
// behind the one before it.
struct Image {
  float* data = nullptr;
  size_t height = 0, width = 0, channels = 0, stride = 0;
};

// The n-th image of a batch [N, C, H, W]; rows [..., C] are an image of one row of pixels, and what
// has two axes is images of one pixel.
inline size_t image_count(const Tensor& t) {
  return t.shape.size() == 4 || t.shape.size() == 2 ? t.shape[0] : 1;
}
inline Image image(const Tensor& t, size_t n) {
  if (t.shape.size() == 4) {
    return {t.data + n * t.strides[0], t.shape[2], t.shape[3], t.shape[1], t.strides[3]};
  }
  const size_t channels = t.shape.back();
  if (t.shape.size() == 2) return {t.data + n * channels, 1, 1, channels, channels};
  return {t.data, 1, t.elements() / channels, channels, channels};
}

// A view has at most the axes of two tensors: where one is seen in the shape of another, both are
// cut.
inline constexpr size_t kMaxAxes = size_t{2} * kMaxRank;

// At most one thing for each axis. It asks for no memory, as nothing may in an inference.
template <typename T>
class PerAxis {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t axis) { return at_[axis]; }
  const T& operator[](size_t axis) const { return at_[axis]; }
  T* begin() { return at_.data(); }
  T* end() { return at_.data() + size_; }
  const T* begin() const { return at_.data(); }
  const T* end() const { return at_.data() + size_; }
  T& back() { return at_[size_ - 1]; }
  const T& back() const { return at_[size_ - 1]; }
  void push_back(T one) { at_[size_++] = one; }
  void pop_back() { --size_; }

 private:
  std::array<T, kMaxAxes> at_{};
  size_t size_ = 0;
};

// A tensor seen along other axes: what moves data is a copy between two views of the same sizes.
struct View {
  float* data;
  PerAxis<size_t> sizes;
  PerAxis<std::ptrdiff_t> strides;

  View(float* address) : data(address) {}
  explicit View(const Tensor& t);
  View& add(size_t size, std::ptrdiff_t stride);
  // Places first..last - 1 of an axis.
  View part(size_t axis, size_t first, size_t last) const {
    View view = *this;
    view.data += static_cast<std::ptrdiff_t>(first) * strides[axis];
    view.sizes[axis] = last - first;
    return view;
  }
};

// `t` broadcast to `shape`, as numpy does.
View broadcast(const Tensor& t, const Shape& shape);

// The axes of `view` with more than one element, the widest stride first.
PerAxis<size_t> axes_by_stride(const View& view);

// Calls row(addresses of the views' elements, their strides, how many) so that all elements of
// views of equal sizes are met; rows follow the first view's memory, or, with other `axes`, these.
template <size_t N, typename F>
void for_each_row(const std::array<const View*, N>& views, const PerAxis<size_t>& axes,
                  const F& row) {
  const View& first = *views[0];
  for (const size_t size : first.sizes) {
    if (size == 0) return;
  }
  std::array<float*, N> at;
  std::array<std::ptrdiff_t, N> inner{};
  for (size_t v = 0; v < N; ++v) at[v] = views[v]->data;
  if (axes.empty()) {
    row(at, inner, size_t{1});
    return;
  }
  const size_t last = axes.back();
  for (size_t v = 0; v < N; ++v) inner[v] = views[v]->strides[last];
  std::array<size_t, kMaxAxes> index{};
  while (true) {
    row(at, inner, first.sizes[last]);
    size_t k = axes.size() - 1;
    for (;; --k) {
      if (k == 0) return;
      const size_t axis = axes[k - 1];
      for (size_t v = 0; v < N; ++v) at[v] += views[v]->strides[axis];
      if (++index[k - 1] < first.sizes[axis]) break;
      for (size_t v = 0; v < N; ++v) {
        at[v] -= views[v]->strides[axis] * static_cast<std::ptrdiff_t>(first.sizes[axis]);
      }
      index[k - 1] = 0;
    }
  }
}

template <size_t N, typename F>
void for_each_row(const std::array<const View*, N>& views, const F& row) {
  for_each_row<N>(views, axes_by_stride(*views[0]), row);
}

// to = from, element by element. They do not overlap.
void copy(const View& from, const View& to, const ThreadPool& pool);

}  // namespace nestling::runtime
