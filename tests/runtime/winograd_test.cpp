// Convolutions by Winograd's transforms against sums in double precision, on every instruction set.
#include "runtime/winograd.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <list>

#include "support/catch.h"
#include "support/targets.h"

#include "base/random.h"

using nestling::Random;
using namespace nestling::runtime;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kUntouched = 1234.5F;

float normal(Random& random) { return static_cast<float>(random.normal()); }

// A convolution with ranges of output channels and pieces of input channels at random places.
struct Convolution {
  NodeSpec node;
  Image x, y;
  std::vector<std::vector<float>> weights;  // [range and piece], as in a package
  std::vector<std::vector<float>> scales, shifts;
  std::vector<ConvRange> ranges;
  std::vector<float> input, zeros, expected;

  explicit Convolution(Random& random) {
    node.kernel = {3, 3};
    for (uint32_t& p : node.padding) p = static_cast<uint32_t>(random.below(3));
    node.low = random.below(2) == 0 ? 0 : -kInfinity;
    x = {nullptr, 3 + random.below(18), 3 + random.below(18), 1 + random.below(150)};
    y = {nullptr, x.height + node.padding[0] + node.padding[2] - 2,
         x.width + node.padding[1] + node.padding[3] - 2, 0};
    input.resize(x.height * x.width * x.channels + kSlack / sizeof(float));
    for (float& v : input) v = normal(random);
    x.data = input.data();
    zeros.resize(x.channels + kSlack / sizeof(float));
    for (size_t r = 0, count = 1 + random.below(3); r < count; ++r) add_range(random);
    compute(random);
  }

  void add_range(Random& random) {
    ConvRange range{y.channels, 1 + random.below(50), 0, {}, nullptr, nullptr};
    range.panels = (range.channels + kPanel - 1) / kPanel;
    y.channels += range.channels;
    const size_t inner = x.channels > 1 ? 1 + random.below(x.channels - 1) : 1;
    range.pieces.push_back({nullptr, 0, inner});
    if (inner < x.channels && random.below(4) > 0) {
      range.pieces.push_back({nullptr, inner, x.channels - inner});
    }
    for (auto* numbers : {&scales, &shifts}) {
      std::vector<float>& list = numbers->emplace_back(range.panels * kPanel);
      for (float& v : list) v = normal(random);
    }
    range.scale = scales.back().data();
    range.shift = shifts.back().data();
    ranges.push_back(range);
  }

  void compute(Random& random) {
    expected.resize(y.height * y.width * y.channels);
    std::vector<double> sums(expected.size());
    for (ConvRange& range : ranges) {
      for (ConvPiece& piece : range.pieces) {
        std::vector<float>& w = weights.emplace_back(range.panels * 9 * piece.length * kPanel);
        for (float& v : w) v = normal(random) / std::sqrt(9.0F * static_cast<float>(x.channels));
        piece.weights = w.data();
        for (size_t i = 0; i < expected.size() / y.channels; ++i) {
          for (size_t k = 0; k < range.channels; ++k) {
            sums[i * y.channels + range.y_offset + k] += product(piece, i, k);
          }
        }
      }
      for (size_t i = 0; i < expected.size() / y.channels; ++i) {
        for (size_t k = 0; k < range.channels; ++k) {
          const size_t at = i * y.channels + range.y_offset + k;
          const double value =
              sums[at] * static_cast<double>(range.scale[k]) + static_cast<double>(range.shift[k]);
          expected[at] = std::max(static_cast<float>(value), node.low);
        }
      }
    }
  }

  double product(const ConvPiece& piece, size_t pixel, size_t k) const {
    double sum = 0;
    for (size_t tap = 0; tap < 9; ++tap) {
      const size_t row = pixel / y.width + tap / 3 - node.padding[0];
      const size_t column = pixel % y.width + tap % 3 - node.padding[1];
      if (row >= x.height || column >= x.width) continue;  // also what is below 0
      const float* values = input.data() + (row * x.width + column) * x.channels + piece.x_offset;
      const float* w =
          piece.weights + ((k / kPanel * 9 + tap) * piece.length) * kPanel + k % kPanel;
      for (size_t c = 0; c < piece.length; ++c) {
        sum += static_cast<double>(values[c]) * static_cast<double>(w[c * kPanel]);
      }
    }
    return sum;
  }
};

}  // namespace

TEST_CASE("convolutions by Winograd's transforms are convolutions") {
  const uint64_t seed = 31;
  INFO("seed " << seed);
  Random random(seed);
  std::list<Convolution> convolutions;
  for (int i = 0; i < 25; ++i) convolutions.emplace_back(random);
  test::for_each_instruction_set([&] {
    for (Convolution& convolution : convolutions) {
      INFO(convolution.x.height << "x" << convolution.x.width << "x" << convolution.x.channels
                                << " to " << convolution.y.channels);
      std::vector<float> y(convolution.expected.size() + 64, kUntouched);
      convolution.y.data = y.data();
      const ConvTask task{&convolution.node, convolution.x, convolution.y, &convolution.ranges,
                          convolution.zeros.data()};
      const size_t floats = winograd_scratch(task), groups = conv_groups(task);
      // What earlier layers left there must not matter.
      std::vector<float> scratch(floats + 64, std::numeric_limits<float>::quiet_NaN());
      const size_t block = 1 + random.below(winograd_block(task));
      const size_t cut = random.below(groups + 1);
      for (size_t from = 0; from < winograd_tiles(task); from += block) {
        const size_t to = std::min(from + block, winograd_tiles(task));
        winograd(task, {from, to, 0, cut}, scratch.data());
        winograd(task, {from, to, cut, groups}, scratch.data());
      }
      double worst = 0;
      for (size_t at = 0; at < convolution.expected.size(); ++at) {
        const double apart = std::abs(static_cast<double>(y[at] - convolution.expected[at]));
        worst = std::isnan(apart) ? kInfinity : std::max(worst, apart);
      }
      CHECK(worst < 2e-5);
      CHECK(std::all_of(y.end() - 64, y.end(), [](float v) { return v == kUntouched; }));
      CHECK(std::all_of(scratch.end() - 64, scratch.end(), [](float v) { return std::isnan(v); }));
    }
  });
}

TEST_CASE("Winograd's transforms are for whole windows of 3x3 that are many enough") {
  NodeSpec node;
  node.kernel = {3, 3};
  ConvTask task{&node, {nullptr, 56, 56, 64}, {nullptr, 56, 56, 64}, nullptr, nullptr};
  CHECK(winograd_pays(task));
  task.x = {nullptr, 2, 2, 512};
  task.y = task.x;
  CHECK_FALSE(winograd_pays(task));
  task.x = {nullptr, 56, 56, 3};  // it costs more to transform than to multiply
  task.y = task.x;
  CHECK_FALSE(winograd_pays(task));
  task.x = {nullptr, 56, 56, 64};
  task.y = {nullptr, 28, 28, 64};
  node.stride = {2, 2};
  CHECK_FALSE(winograd_pays(task));
  node.stride = {1, 1};
  node.dilation = {2, 2};
  CHECK_FALSE(winograd_pays(task));
}
