#include "train/columns.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <numeric>
#include <vector>

#include "train/line_loops.h"

namespace nestling {
namespace {

// A matrix as lines of several rows each, so that a loop over a line is of whole vectors whatever
// the number of channels. The last line may be shorter.
struct Lines {
  explicit Lines(const at::Tensor& x)
      : channels(x.size(1)), length(std::lcm(channels, kVector)), numbers(x.numel()) {
    length *= std::max<int64_t>(1, kLength / length);
    parts = (numbers + kLines * length - 1) / (kLines * length);
  }

  // For each line of a part: use(where it begins, how long it is).
  template <typename Use>
  void each(int64_t part, const Use& use) const {
    const int64_t end = std::min(numbers, (part + 1) * kLines * length);
    for (int64_t at = part * kLines * length; at < end; at += length) {
      use(at, std::min(length, end - at));
    }
  }

  // Numbers by column, as often as there are rows in a line.
  at::Tensor repeated(const at::Tensor& of_columns) const {
    return of_columns.to(at::kFloat).repeat(length / channels);
  }

  static constexpr int64_t kVector = 16;   // floats, of the widest
  static constexpr int64_t kLength = 256;  // about
  static constexpr int64_t kLines = 64;    // of a part, whose sums are floats
  int64_t channels, length, numbers, parts = 0;
};

bool by_loops(const at::Tensor& x) { return x.device().is_cpu(); }

// Two sums a column: add(where a line begins, how long it is, the sums of a line, and the others).
template <typename Add>
at::Tensor two_sums(const at::Tensor& x, const Add& add) {
  const Lines lines(x);
  const auto channels = static_cast<size_t>(lines.channels), both = 2 * channels;
  std::vector<double> parts(static_cast<size_t>(lines.parts) * both);
  at::parallel_for(0, lines.parts, 1, [&](int64_t first, int64_t end) {
    const at::Tensor line = at::empty({2, lines.length}, at::kFloat);  // on whole cache lines
    float* sums = line.data_ptr<float>();
    for (int64_t part = first; part < end; ++part) {
      std::fill_n(sums, 2 * lines.length, 0.0F);
      lines.each(part,
                 [&](int64_t at, int64_t count) { add(at, count, sums, sums + lines.length); });
      double* of_part = parts.data() + static_cast<size_t>(part) * both;
      for (int64_t i = 0; i < 2 * lines.length; i += lines.channels) {
        double* to = i < lines.length ? of_part : of_part + channels;
        for (size_t c = 0; c < channels; ++c) to[c] += sums[i + static_cast<int64_t>(c)];
      }
    }
  });
  at::Tensor result = at::zeros({2, lines.channels}, at::kDouble);
  double* sums = result.data_ptr<double>();
  for (size_t part = 0; part < parts.size(); part += both) {
    for (size_t i = 0; i < both; ++i) sums[i] += parts[part + i];
  }
  return result;
}

// A matrix like x: set(where a line begins, how long it is).
template <typename Set>
void set_lines(const at::Tensor& x, const Set& set) {
  const Lines lines(x);
  at::parallel_for(0, lines.parts, 1, [&](int64_t first, int64_t end) {
    for (int64_t part = first; part < end; ++part) lines.each(part, set);
  });
}

}  // namespace

at::Tensor column_moments(const at::Tensor& x, const at::Tensor& origin) {
  if (!by_loops(x)) {
    const at::Tensor off = x - origin.to(at::kFloat);
    return at::stack({off.sum(0), off.square().sum(0)}).to(at::kDouble);
  }
  const float* from = x.data_ptr<float>();
  const at::Tensor origins = Lines(x).repeated(origin);
  const float* of_line = origins.data_ptr<float>();
  return two_sums(x, [&](int64_t at, int64_t count, float* sums, float* others) {
    add_moments(from + at, of_line, count, sums, others);
  });
}

at::Tensor column_products(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& mean) {
  if (!by_loops(x)) {
    return at::stack({dy.sum(0), (dy * (x - mean.to(at::kFloat))).sum(0)}).to(at::kDouble);
  }
  const float *from = x.data_ptr<float>(), *gradient = dy.data_ptr<float>();
  const at::Tensor means = Lines(x).repeated(mean);
  const float* of_line = means.data_ptr<float>();
  return two_sums(x, [&](int64_t at, int64_t count, float* sums, float* others) {
    add_products(gradient + at, from + at, of_line, count, sums, others);
  });
}

at::Tensor scaled_columns(const at::Tensor& x, const at::Tensor& a, const at::Tensor& b) {
  if (!by_loops(x)) return x * a.to(at::kFloat) + b.to(at::kFloat);
  at::Tensor result = at::empty_like(x);
  const Lines lines(x);
  const at::Tensor factors = lines.repeated(a), shifts = lines.repeated(b);
  const float* from = x.data_ptr<float>();
  float* to = result.data_ptr<float>();
  set_lines(x, [&](int64_t at, int64_t count) {
    scale_line(from + at, factors.data_ptr<float>(), shifts.data_ptr<float>(), count, to + at);
  });
  return result;
}

at::Tensor mixed_columns(const at::Tensor& x, const at::Tensor& a, const at::Tensor& y,
                         const at::Tensor& b, const at::Tensor& c) {
  if (!by_loops(x)) return x * a.to(at::kFloat) + y * b.to(at::kFloat) + c.to(at::kFloat);
  at::Tensor result = at::empty_like(x);
  const Lines lines(x);
  const at::Tensor of_x = lines.repeated(a), of_y = lines.repeated(b), shifts = lines.repeated(c);
  const float *from_x = x.data_ptr<float>(), *from_y = y.data_ptr<float>();
  float* to = result.data_ptr<float>();
  set_lines(x, [&](int64_t at, int64_t count) {
    mix_lines(from_x + at, of_x.data_ptr<float>(), from_y + at, of_y.data_ptr<float>(),
              shifts.data_ptr<float>(), count, to + at);
  });
  return result;
}

}  // namespace nestling
