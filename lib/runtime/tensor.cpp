#include "runtime/tensor.h"

#include <algorithm>
#include <cstdlib>

#include "runtime/elementwise.h"

namespace nestling::runtime {

Tensor::Tensor(float* address, Shape sizes, size_t pixel_stride)
    : data(address), shape(std::move(sizes)), strides(shape.size()) {
  size_t stride = 1;
  const auto lay = [&](size_t axis) {
    strides[axis] = stride;
    stride *= shape[axis];
  };
  if (shape.size() == 4) {
    lay(1);
    if (pixel_stride != 0) stride = pixel_stride;
    for (const size_t axis : {3U, 2U, 0U}) lay(axis);
  } else {
    for (size_t axis = shape.size(); axis > 0; --axis) lay(axis - 1);
  }
}

View::View(const Tensor& t) : data(t.data) {
  for (size_t axis = 0; axis < t.shape.size(); ++axis) {
    add(t.shape[axis], static_cast<std::ptrdiff_t>(t.strides[axis]));
  }
}

View& View::add(size_t size, std::ptrdiff_t stride) {
  sizes.push_back(size);
  strides.push_back(stride);
  return *this;
}

View broadcast(const Tensor& t, const Shape& shape) {
  View view(t.data);
  const size_t offset = shape.size() - t.shape.size();
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const bool there = axis >= offset && t.shape[axis - offset] != 1;
    view.add(shape[axis], there ? static_cast<std::ptrdiff_t>(t.strides[axis - offset]) : 0);
  }
  return view;
}

PerAxis<size_t> axes_by_stride(const View& view) {
  const auto width = [&](size_t axis) { return std::abs(view.strides[axis]); };
  PerAxis<size_t> order;
  for (size_t axis = 0; axis < view.sizes.size(); ++axis) {
    if (view.sizes[axis] == 1) continue;
    size_t at = order.size();
    order.push_back(axis);
    for (; at > 0 && width(order[at - 1]) < width(axis); --at) order[at] = order[at - 1];
    order[at] = axis;
  }
  return order;
}

void copy(const View& from, const View& to, const ThreadPool& pool) {
  constexpr size_t kShort = 8, kPart = 4096;  // elements
  PerAxis<size_t> axes = axes_by_stride(to);
  const size_t inner = axes.empty() ? 0 : axes.back(), few = axes.empty() ? 1 : to.sizes[inner];
  bool interleaves = false;  // such as the colours of an image
  if (axes.size() > 1 && few < kShort) {
    std::swap(axes.back(), axes[axes.size() - 2]);  // rows of few elements would be too many
    interleaves = few <= 3 && to.strides[inner] == 1 && from.strides[axes.back()] == 1 &&
                  to.strides[axes.back()] == static_cast<std::ptrdiff_t>(few);
    if (interleaves) {
      axes[axes.size() - 2] = axes.back();
      axes.pop_back();
    }
  }
  const auto run = [&](const View& some_to, const View& some_from) {
    if (interleaves) {
      return for_each_row<2>({&some_to, &some_from}, axes,
                             [&](const auto& at, const auto&, size_t count) {
                               interleave(at[1], from.strides[inner], few, at[0], count);
                             });
    }
    for_each_row<2>({&some_to, &some_from}, axes,
                    [](const auto& at, const auto& stride, size_t count) {
                      if (stride[0] == 1 && stride[1] == 1) {
                        std::copy_n(at[1], count, at[0]);
                        return;
                      }
                      for (size_t i = 0; i < count; ++i) {
                        const auto k = static_cast<std::ptrdiff_t>(i);
                        at[0][k * stride[0]] = at[1][k * stride[1]];
                      }
                    });
  };
  size_t elements = 1;
  for (const size_t size : to.sizes) elements *= size;
  if (axes.empty() || elements < 2 * kPart) return run(to, from);
  const size_t widest = axes[0], each = elements / to.sizes[widest];
  pool.parallel(to.sizes[widest], (kPart + each - 1) / each, [&](size_t first, size_t last) {
    run(to.part(widest, first, last), from.part(widest, first, last));
  });
}

}  // namespace nestling::runtime
