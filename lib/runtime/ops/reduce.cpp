// numbers: {0 mean, 1 max or 2 sum, 1 if the axes stay as 1, axes...}, the axes ascending.
#include <algorithm>
#include <limits>

#include "runtime/elementwise.h"
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (in.size() != 1 || node.numbers.size() < 3 || node.numbers[0] < 0 || node.numbers[0] > 2) {
    return "a reduction lacks its axes";
  }
  Shape expected;
  size_t next = 2;
  for (size_t axis = 0; axis < in[0].size(); ++axis) {
    const bool reduced =
        next < node.numbers.size() && node.numbers[next] == static_cast<int64_t>(axis);
    if (!reduced) expected.push_back(in[0][axis]);
    if (reduced && node.numbers[1] != 0) expected.push_back(1);
    next += reduced ? 1 : 0;
  }
  if (next != node.numbers.size()) return "a reduction's axes are not those of its input";
  return expected == out ? nullptr : "a reduction does not fit";
}

// What a maximum or a sum begins with.
float beginning(bool max) { return max ? -std::numeric_limits<float>::infinity() : 0; }

// Over all pixels of images, a fourth of them at a time, however many threads there are: so each
// reads what it has written itself, and any number of them computes the same.
void reduce_pixels(const Step& step, bool max, const ThreadPool& pool) {
  constexpr size_t kBlocks = 4, kChannels = 1024, kRows = 32;
  const auto fold = max ? maximum_of : sum_of;
  float of_blocks[kBlocks][kChannels];
  for (size_t n = 0; n < image_count(step.inputs[0]); ++n) {
    const Image x = image(step.inputs[0], n);
    const size_t pixels = x.height * x.width;
    for (size_t from = 0; from < x.channels; from += kChannels) {
      const size_t channels = std::min(kChannels, x.channels - from);
      pool.parallel(kBlocks, 1, [&](size_t first, size_t last) {
        for (size_t block = first; block < last; ++block) {
          std::fill_n(of_blocks[block], channels, beginning(max));
          const size_t end = (block + 1) * pixels / kBlocks;
          const float* rows[kRows];
          for (size_t pixel = block * pixels / kBlocks; pixel < end; pixel += kRows) {
            const size_t count = std::min(kRows, end - pixel);
            for (size_t r = 0; r < count; ++r) rows[r] = x.data + (pixel + r) * x.channels + from;
            fold(rows, count, of_blocks[block], channels);
          }
        }
      });
      const float* rows[kBlocks];
      for (size_t block = 0; block < kBlocks; ++block) rows[block] = of_blocks[block];
      fold(rows, kBlocks, step.y.data + n * x.channels + from, channels);
    }
  }
}

// Over any axes.
void reduce_axes(const Step& step, bool max) {
  const Tensor &x = step.inputs[0], &y = step.y;
  const bool keep = step.node->numbers[1] != 0;
  // y seen along the axes of x: it does not move along those that are reduced.
  View to(y.data);
  size_t next = 2, axis_of_y = 0;
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {
    const bool reduced =
        next < step.node->numbers.size() && step.node->numbers[next] == static_cast<int64_t>(axis);
    to.add(x.shape[axis], reduced ? 0 : static_cast<std::ptrdiff_t>(y.strides[axis_of_y]));
    next += reduced ? 1 : 0;
    axis_of_y += reduced && !keep ? 0 : 1;
  }
  const View from(x);
  for_each_row<2>({&from, &to}, [&](const auto& at, const auto& stride, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const auto k = static_cast<std::ptrdiff_t>(i);
      float& sum = at[1][k * stride[1]];
      const float v = at[0][k * stride[0]];
      sum = max ? std::max(sum, v) : sum + v;
    }
  });
}

void run(const Step& step, const ThreadPool& pool) {
  const Tensor &x = step.inputs[0], &y = step.y;
  const std::vector<int64_t>& numbers = step.node->numbers;
  const bool max = numbers[0] == 1;
  std::fill_n(y.data, y.elements(), beginning(max));
  if (x.shape.size() == 4 && numbers.size() == 4 && numbers[2] == 2) {  // and so 3
    reduce_pixels(step, max, pool);
  } else {
    reduce_axes(step, max);
  }
  if (numbers[0] != 0) return;
  const size_t count = x.elements() / y.elements();
  for (size_t i = 0; i < y.elements(); ++i) y.data[i] /= static_cast<float>(count);
}

}  // namespace

extern const Operator op_reduce = {"reduce", Weights::none, check, run};

}  // namespace nestling::runtime
