// Operators that work along one axis, for every place of the others.
#pragma once

#include "runtime/operator.h"

namespace nestling::runtime {

// A copy of a view in which `axis` has one element: the beginnings of all the lines along it.
inline View without_axis(View view, size_t axis) {
  view.sizes[axis] = 1;
  return view;
}

// Calls line(x's first element, y's first element) for every line along `axis` of x; y has the same
// axes, of which that one may be 1.
template <typename F>
void for_each_line(const View& x, const View& y, size_t axis, const F& line) {
  const View from = without_axis(x, axis), to = without_axis(y, axis);
  for_each_row<2>({&from, &to}, [&](const auto& at, const auto& stride, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const auto k = static_cast<std::ptrdiff_t>(i);
      line(at[0] + k * stride[0], at[1] + k * stride[1]);
    }
  });
}

}  // namespace nestling::runtime
