#include "runtime/tensor.h"

#include <algorithm>

namespace nestling::runtime {

View broadcast(const Tensor& t, const Shape& shape) {
  View view(t.data);
  const size_t offset = shape.size() - t.shape.size();
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const bool there = axis >= offset && t.shape[axis - offset] != 1;
    view.add(shape[axis], there ? static_cast<std::ptrdiff_t>(t.strides[axis - offset]) : 0);
  }
  return view;
}

void copy(const View& from, const View& to) {
  for_each_row<2>({&to, &from}, [](const auto& at, const auto& stride, size_t count) {
    if (stride[0] == 1 && stride[1] == 1) {
      std::copy_n(at[1], count, at[0]);
      return;
    }
    for (size_t i = 0; i < count; ++i) {
      const auto k = static_cast<std::ptrdiff_t>(i);
      at[0][k * stride[0]] = at[1][k * stride[1]];
    }
  });
}

}  // namespace nestling::runtime
