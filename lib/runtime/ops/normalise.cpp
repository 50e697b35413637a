// (x - mean) / sqrt(variance + epsilon) over the axes from numbers[0] on, with numbers[2] those
// before that one, for every place of the others; if there is a numbers[1], and it is not 0, for
// every so many elements of the first of these axes. The middle of InstanceNormalization,
// LayerNormalization and GroupNormalization. reals: {epsilon}.
#include <algorithm>
#include <cmath>

#include "runtime/elementwise.h"
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  const std::vector<int64_t>& numbers = node.numbers;
  if (numbers.empty() || numbers.size() > 3 || node.reals.size() != 1 ||
      static_cast<uint64_t>(numbers[0]) >= out.size() ||
      (numbers.size() == 3 &&
       (numbers[2] <= numbers[0] || static_cast<uint64_t>(numbers[2]) > out.size()))) {
    return "a normalisation has an axis that is not there";
  }
  const uint32_t first = out[static_cast<size_t>(numbers[0])];
  if (numbers.size() > 1 && (numbers[1] < 0 || (numbers[1] > 0 && first % numbers[1] != 0))) {
    return "a normalisation's groups do not fit";
  }
  return check_same(in, out);
}

constexpr size_t kBlocks = 4, kRow = 1024;

// Elements that lie side by side, `size` of each group at most kRow: all rows of a view of their
// beginnings are normalised together, a fourth of them at a time, however many threads there are,
// so that any number of them computes the same.
struct Rows {
  View x, y;
  size_t length, size;
};

void normalise_rows(const Rows& rows, float epsilon, const ThreadPool& pool) {
  float sums[kBlocks][kRow], mean[kRow], scale[kRow];
  size_t count = rows.size;
  for (const size_t size : rows.x.sizes) count *= size;
  const auto each_block = [&](const auto& row) {
    const size_t along = rows.x.sizes[0];
    pool.parallel(kBlocks, 1, [&](size_t first, size_t last) {
      for (size_t block = first; block < last; ++block) {
        const size_t from = block * along / kBlocks, to = (block + 1) * along / kBlocks;
        row(sums[block], rows.x.part(0, from, to), rows.y.part(0, from, to));
      }
    });
  };
  const size_t most = kRow / rows.size * rows.size;
  for (size_t from = 0; from < rows.length; from += most) {
    const size_t length = std::min(most, rows.length - from);
    // Of each element's group: the mean, or from it, with the variance, what it is scaled by.
    const auto find = [&](bool variance, float* result) {
      each_block([&](float* sum, const View& x, const View&) {
        std::fill_n(sum, length, 0.0F);
        for_each_row<1>({&x}, [&](const auto& at, const auto& stride, size_t n) {
          for (size_t i = 0; i < n; ++i) {
            const float* row = at[0] + static_cast<std::ptrdiff_t>(i) * stride[0] + from;
            if (variance) {
              add_squares(row, mean, sum, length);
            } else {
              add(row, sum, sum, length);
            }
          }
        });
      });
      for (size_t group = 0; group < length; group += rows.size) {
        double value = 0;
        for (const auto& sum : sums) {
          for (size_t i = group; i < group + rows.size; ++i) value += sum[i];
        }
        value /= static_cast<double>(count);
        if (variance) value = 1 / std::sqrt(value + epsilon);
        std::fill_n(result + group, rows.size, static_cast<float>(value));
      }
    };
    find(false, mean);
    find(true, scale);
    each_block([&](const float*, const View& x, const View& y) {
      for_each_row<2>({&x, &y}, [&](const auto& at, const auto& stride, size_t n) {
        for (size_t i = 0; i < n; ++i) {
          const auto k = static_cast<std::ptrdiff_t>(i);
          standardise(at[0] + k * stride[0] + from, mean, scale, at[1] + k * stride[1] + from,
                      length);
        }
      });
    });
  }
}

void run(const Step& step, const ThreadPool& pool) {
  const Tensor &x = step.inputs[0], &y = step.y;
  const std::vector<int64_t>& numbers = step.node->numbers;
  const auto first = static_cast<size_t>(numbers[0]);
  const size_t end = numbers.size() == 3 ? static_cast<size_t>(numbers[2]) : x.shape.size();
  const size_t group =
      numbers.size() > 1 && numbers[1] > 0 ? static_cast<size_t>(numbers[1]) : x.shape[first];
  // Elements of one group along an axis.
  const auto size_along = [&](size_t axis) -> size_t {
    if (axis < first || axis >= end) return 1;
    return axis == first ? group : x.shape[axis];
  };
  size_t count = 1, line = 1;  // elements of a group; those that lie side by side
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {
    const size_t size = size_along(axis);
    count *= size;
    if (x.strides[axis] == 1 && y.strides[axis] == 1) line = std::max(line, size);
  }
  View from(x.data), to(y.data);  // where elements that belong together begin
  Rows rows{View(x.data), View(y.data), 1, 1};
  const auto add_axis = [&](View& of_x, View& of_y, size_t places, size_t axis, size_t apart) {
    of_x.add(places, static_cast<std::ptrdiff_t>(apart * x.strides[axis]));
    of_y.add(places, static_cast<std::ptrdiff_t>(apart * y.strides[axis]));
  };
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {
    const size_t all = x.shape[axis];
    size_t size = size_along(axis), places = all / size, length = 1;
    if (line != count && x.strides[axis] == 1 && y.strides[axis] == 1 && rows.length == 1) {
      // What lies side by side, or of a group that is too long a part that it is made of.
      rows.size = std::min(size, kRow);
      while (size % rows.size != 0) --rows.size;
      length = size > kRow ? rows.size : all;
      rows.length = length;
      if (size <= kRow) places = 1;
      size /= rows.size;
    }
    if (places > 1) add_axis(from, to, places, axis, all / places);
    if (size > 1 || axis + 1 == x.shape.size()) add_axis(rows.x, rows.y, size, axis, length);
  }
  const float epsilon = step.node->reals[0];
  const auto each_place = [&](const View& of_x, const View& of_y, const auto& each) {
    for_each_row<2>({&of_x, &of_y}, [&](const auto& at, const auto& stride, size_t places) {
      for (size_t i = 0; i < places; ++i) {
        const auto k = static_cast<std::ptrdiff_t>(i);
        each(at[0] + k * stride[0], at[1] + k * stride[1]);
      }
    });
  };
  if (line == count) {
    if (from.sizes.empty()) add_axis(from, to, 1, 0, 0);
    pool.parallel(from.sizes[0], 1 + kRow / line, [&](size_t begin, size_t behind) {
      each_place(from.part(0, begin, behind), to.part(0, begin, behind),
                 [&](const float* of_x, float* of_y) { normalise(of_x, of_y, line, epsilon); });
    });
    return;
  }
  each_place(from, to, [&](float* of_x, float* of_y) {
    rows.x.data = of_x;
    rows.y.data = of_y;
    normalise_rows(rows, epsilon, pool);
  });
}

}  // namespace

extern const Operator op_normalise = {"normalise", Weights::none, check, run};

}  // namespace nestling::runtime
