#include <array>

#include "runtime/vulkan/kernels/kernel.h"

namespace nestling::runtime::vulkan {

namespace {

enum class Lines : uint32_t {
  mean = 0,
  maximum = 1,
  sum = 2,
  softmax = 3,
  log_softmax = 4,
  first_largest = 5,
  last_largest = 6,
  normalise = 7,
  lrn = 8,
};

// Axes of x and y; what both go through as through one axis becomes one.
struct Axes {
  std::vector<size_t> sizes;
  std::vector<size_t> x_strides, y_strides;

  void add(size_t size, size_t x_stride, size_t y_stride) {
    if (size == 1) return;
    if (!sizes.empty() && x_strides.back() == size * x_stride &&
        y_strides.back() == size * y_stride) {
      sizes.back() *= size;
      x_strides.back() = x_stride;
      y_strides.back() = y_stride;
      return;
    }
    sizes.push_back(size);
    x_strides.push_back(x_stride);
    y_strides.push_back(y_stride);
  }
  // Outer axes of one place, for as many as a shader has.
  void fill(size_t count) {
    const size_t missing = count - sizes.size();
    sizes.insert(sizes.begin(), missing, 1);
    x_strides.insert(x_strides.begin(), missing, 0);
    y_strides.insert(y_strides.begin(), missing, 0);
  }
};

// What LRN and normalise have beside.
struct Around {
  float alpha = 0, beta = 0, bias = 0;
  int64_t before = 0, after = 0;
};

// Lines of `along`, one at each place of `across`. None if there are too many axes, or lines.
std::optional<Dispatch> lines(Lines kind, const Step& step, Axes across, Axes along,
                              const Places& places, const Around& around = {}) {
  constexpr size_t kAcross = 4, kAlong = 2;
  constexpr uint32_t kWide = 64;
  const auto x = places.in_arena(step.inputs[0].data), y = places.in_arena(step.y.data);
  if (!x || !y || across.sizes.size() > kAcross || along.sizes.size() > kAlong) {
    return std::nullopt;
  }
  across.fill(kAcross);
  along.fill(kAlong);
  size_t count = 1;
  for (const size_t size : across.sizes) count *= size;
  Push push;
  push.add(*x).add(*y).add(count).add(step.low).add(step.high);
  for (const size_t size : across.sizes) push.add(size);
  for (const size_t stride : across.x_strides) push.add(stride);
  for (const size_t stride : across.y_strides) push.add(stride);
  for (const size_t size : along.sizes) push.add(size);
  for (const size_t stride : along.x_strides) push.add(stride);
  push.add(around.alpha).add(around.beta).add(around.bias).add(around.before).add(around.after);
  return Dispatch{
      {Shader::lines, {kWide, 1, 1, places.segments(), static_cast<uint32_t>(kind), 0, 0, 0}},
      {groups_of(count, kWide), 1, 1},
      push.numbers()};
}

// Lines along axes first..last - 1 of x, of the first of these `group` elements each (0: all),
// which become lines of y that lie as these do.
std::optional<Dispatch> lines_along(Lines kind, const Step& step, size_t first, size_t last,
                                    const Places& places, const Around& around = {},
                                    size_t group = 0) {
  const Tensor &x = step.inputs[0], &y = step.y;
  if (x.strides != y.strides) return std::nullopt;
  Axes across, along;
  for (size_t i = 0; i < x.shape.size(); ++i) {
    size_t size = x.shape[i];
    if (i == first && group > 0) {
      across.add(size / group, group * x.strides[i], group * y.strides[i]);
      size = group;
    }
    (i >= first && i < last ? along : across).add(size, x.strides[i], y.strides[i]);
  }
  return lines(kind, step, std::move(across), std::move(along), places, around);
}

// A number of each place of the axes that are not `reduced`, which stay as 1 or go.
template <typename Reduced>
std::optional<Dispatch> reduce_axes(Lines kind, const Step& step, const Reduced& reduced, bool keep,
                                    const Places& places) {
  const Tensor &x = step.inputs[0], &y = step.y;
  Axes across, along;
  size_t axis_of_y = 0;
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {
    if (reduced(axis)) {
      along.add(x.shape[axis], x.strides[axis], 0);
      axis_of_y += keep ? 1 : 0;
    } else {
      across.add(x.shape[axis], x.strides[axis], y.strides[axis_of_y++]);
    }
  }
  return lines(kind, step, std::move(across), std::move(along), places);
}

}  // namespace

std::optional<Dispatch> reduce(const Step& step, const Places& places) {
  const std::vector<int64_t>& numbers = step.node->numbers;
  const auto reduced = [&](size_t axis) {
    return std::find(numbers.begin() + 2, numbers.end(), static_cast<int64_t>(axis)) !=
           numbers.end();
  };
  return reduce_axes(static_cast<Lines>(numbers[0]), step, reduced, numbers[1] != 0, places);
}

std::optional<Dispatch> arg_max(const Step& step, const Places& places) {
  const std::vector<int64_t>& numbers = step.node->numbers;
  if (is_bounded(step.low, step.high)) return std::nullopt;
  const auto reduced = [&](size_t axis) { return static_cast<int64_t>(axis) == numbers[0]; };
  return reduce_axes(numbers[2] != 0 ? Lines::last_largest : Lines::first_largest, step, reduced,
                     numbers[1] != 0, places);
}

std::optional<Dispatch> softmax(const Step& step, const Places& places) {
  if (is_bounded(step.low, step.high)) return std::nullopt;
  const auto axis = static_cast<size_t>(step.node->numbers[0]);
  const bool log = step.node->numbers[1] != 0;
  return lines_along(log ? Lines::log_softmax : Lines::softmax, step, axis, axis + 1, places);
}

std::optional<Dispatch> normalise(const Step& step, const Places& places) {
  const std::vector<int64_t>& numbers = step.node->numbers;
  const size_t group = numbers.size() > 1 ? static_cast<size_t>(numbers[1]) : 0;
  const size_t end = numbers.size() == 3 ? static_cast<size_t>(numbers[2]) : step.y.shape.size();
  return lines_along(Lines::normalise, step, static_cast<size_t>(numbers[0]), end, places,
                     {.alpha = step.node->reals[0]}, group);
}

std::optional<Dispatch> lrn(const Step& step, const Places& places) {
  const int64_t size = step.node->numbers[0], before = (size - 1) / 2;
  const std::vector<float>& reals = step.node->reals;
  return lines_along(Lines::lrn, step, 1, 2, places,
                     {.alpha = reals[0] / static_cast<float>(size),
                      .beta = reals[1],
                      .bias = reals[2],
                      .before = before,
                      .after = size - 1 - before});
}

}  // namespace nestling::runtime::vulkan
