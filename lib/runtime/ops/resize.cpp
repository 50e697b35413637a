// Images of another size. numbers: for every row, then every column of the output, the {low, high}
// rows or columns of the input that it mixes; reals: for each the share of the high one.
#include <algorithm>

#include "runtime/elementwise.h"
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (in.size() != 1 || in[0].size() != 4 || out.size() != 4 || in[0][0] != out[0] ||
      in[0][1] != out[1]) {
    return "a resize does not fit";
  }
  const size_t places = size_t{out[2]} + out[3];
  if (node.numbers.size() != 2 * places || node.reals.size() != places) {
    return "a resize lacks its places";
  }
  for (size_t i = 0; i < 2 * places; ++i) {
    const uint32_t size = in[0][i / 2 < out[2] ? 2 : 3];
    if (node.numbers[i] < 0 || node.numbers[i] >= size) return "a resize does not fit";
  }
  return nullptr;
}

void run(const Step& step, const ThreadPool& pool) {
  const int64_t* numbers = step.node->numbers.data();
  const float* reals = step.node->reals.data();
  for (size_t n = 0; n < image_count(step.y); ++n) {
    const Image x = image(step.inputs[0], n), y = image(step.y, n);
    pool.parallel(y.height, 1, [&](size_t first, size_t last) {
      for (size_t i = first; i < last; ++i) {
        const float row = reals[i];
        for (size_t j = 0; j < y.width; ++j) {
          const size_t column_at = y.height + j;
          const float column = reals[column_at];
          const auto pixel = [&](int64_t u, int64_t v) {
            return x.data +
                   (static_cast<size_t>(u) * x.width + static_cast<size_t>(v)) * x.channels;
          };
          const int64_t top = numbers[2 * i], bottom = numbers[2 * i + 1];
          const int64_t left = numbers[2 * column_at], right = numbers[2 * column_at + 1];
          const float *a = pixel(top, left), *b = pixel(top, right);
          const float *c = pixel(bottom, left), *d = pixel(bottom, right);
          float* to = y.data + (i * y.width + j) * y.channels;
          if (row == 0 && column == 0) {
            std::copy_n(a, y.channels, to);
          } else {
            interpolate(a, b, c, d, column, row, to, y.channels);
          }
        }
      }
    });
  }
}

}  // namespace

extern const Operator op_resize = {"resize", Weights::none, check, run, {.by_channel = true}};

}  // namespace nestling::runtime
