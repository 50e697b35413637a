// Layers as kernels see them, with random weights in blocks, and what they compute in double
// precision.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "runtime/kernels.h"
#include "support/catch.h"

#include "base/float16.h"
#include "base/random.h"

namespace test {

using namespace nestling::runtime;

// Memory as kernels want it, aligned to a cache line, filled with `filler`, of which what lies
// behind `floats` must stay.
class GuardedScratch {
 public:
  GuardedScratch(size_t floats, float filler)
      : memory_(floats + kBehind + kLine, filler), filler_(filler) {
    data_ = memory_.data();
    while (reinterpret_cast<uintptr_t>(data_) % (kLine * sizeof(float)) != 0) ++data_;
    end_ = data_ + floats;
  }
  float* data() const { return data_; }
  void check() const {
    const bool stayed = std::all_of(end_, end_ + kBehind, [&](float v) {
      return v == filler_ || (std::isnan(v) && std::isnan(filler_));
    });
    CHECK(stayed);
  }

 private:
  static constexpr size_t kLine = 16, kBehind = 64;
  std::vector<float> memory_;
  float filler_;
  float *data_, *end_;
};

// A convolution, or a depthwise one, with ranges of output channels and pieces of input channels at
// random places; the pixels of x and y may be parts of longer ones. The sizes of `x` and the window
// are given.
struct Convolution {
  NodeSpec node;
  Image x, y;
  bool depthwise;
  std::vector<std::vector<float>> weights;    // of each range and piece, as in a package
  std::vector<std::vector<uint16_t>> halves;  // these as float16, if they are stored so
  std::vector<float> scale, shift, channel_weights;
  size_t channel_row = 0;
  std::vector<ConvRange> ranges;
  std::vector<Bundle> bundles;
  std::vector<float> input, zeros, addend, expected;
  float low;

  Convolution(const NodeSpec& window, const Image& size, bool each_channel,
              nestling::Random& random, bool only_halves = false)
      : node(window), x(size), depthwise(each_channel) {
    low = random.below(2) == 0 ? 0 : -std::numeric_limits<float>::infinity();
    const auto places = [&](size_t extent, size_t axis) {
      const size_t padded = extent + node.padding[axis] + node.padding[axis + 2];
      return (padded - node.dilation[axis] * (node.kernel[axis] - 1) - 1) / node.stride[axis] + 1;
    };
    const auto gap = [&] { return random.below(2) == 0 ? size_t{0} : random.below(40); };
    y = {nullptr, places(x.height, 0), places(x.width, 1), 0, 0};
    x.stride = x.channels + gap();
    input.resize(x.height * x.width * x.stride + kSlack / sizeof(float));
    for (float& v : input) v = static_cast<float>(random.normal());
    x.data = input.data();
    zeros.resize(x.channels + kSlack / sizeof(float));
    while (depthwise ? y.channels < x.channels : ranges.size() < 1 + x.channels % 3) {
      add_range(random);
    }
    compute(random, only_halves || (!depthwise && random.below(3) == 0));
    y.stride = y.channels + (addend.empty() ? gap() : 0);  // what is added lies as y does
  }
  Convolution(const Convolution&) = delete;
  Convolution& operator=(const Convolution&) = delete;

  // What `run` makes of y is what is expected, and it touches nothing else.
  template <typename Run>
  void check(const Run& run, float tolerance = 5e-5F) const {
    constexpr float kUntouched = 1234.5F;
    constexpr size_t kGuard = 64;
    const size_t pixels = y.height * y.width;
    std::vector<float> found(pixels * y.stride + 2 * kGuard, kUntouched);
    Image to = y;
    to.data = found.data() + kGuard;
    run(ConvTask{&node, low, std::numeric_limits<float>::infinity(), x, to,
                 addend.empty() ? nullptr : addend.data(), &bundles, channel_weights.data(),
                 channel_row, scale.data(), shift.data(), zeros.data()});
    float worst = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      float& at = to.data[i / y.channels * y.stride + i % y.channels];
      const float apart = std::abs(at - expected[i]);
      worst = std::isnan(apart) ? std::numeric_limits<float>::infinity() : std::max(worst, apart);
      at = kUntouched;
    }
    CHECK(worst < tolerance);
    CHECK(std::all_of(found.begin(), found.end(), [](float v) { return v == kUntouched; }));
  }

 private:
  size_t taps() const { return size_t{node.kernel[0]} * node.kernel[1]; }

  // Depthwise weights lie together as kernels want them; others in blocks.
  void add_range(nestling::Random& random) {
    ConvRange range{y.channels, 1 + random.below(50), {}};
    // Panels of all channels are read where they are.
    if (random.below(2) == 0) range.channels = (range.channels + 7) / kPanel * kPanel;
    if (depthwise) range.channels = std::min(range.channels, x.channels - y.channels);
    y.channels += range.channels;
    const size_t inner = x.channels > 1 ? 1 + random.below(x.channels - 1) : 1;
    if (depthwise || random.below(3) == 0 || inner == x.channels) {
      range.pieces.push_back({{}, 0, depthwise ? 1 : x.channels});
    } else {
      range.pieces.push_back({{}, 0, inner});
      // Sometimes not all inputs are seen.
      const size_t gap = random.below(4) == 0 ? random.below(x.channels - inner) : 0;
      range.pieces.push_back({{}, inner + gap, x.channels - inner - gap});
    }
    ranges.push_back(range);
  }

  void compute(nestling::Random& random, bool half) {
    expected.resize(y.height * y.width * y.channels);
    if (random.below(2) == 0) {
      addend.resize(expected.size() + kSlack / sizeof(float));
      for (float& v : addend) v = static_cast<float>(random.normal());
    }
    const double deviation =
        1 / std::sqrt(static_cast<double>(taps() * (depthwise ? 1 : x.channels)));
    scale.resize(padded_row(y.channels));
    shift.resize(padded_row(y.channels));
    for (float& v : scale) v = static_cast<float>(random.normal());
    for (float& v : shift) v = static_cast<float>(random.normal());
    channel_row = padded_row(y.channels) + random.below(20);
    if (depthwise) channel_weights.resize(taps() * channel_row);
    std::vector<double> sums(expected.size());
    for (ConvRange& range : ranges) {
      for (ConvPiece& piece : range.pieces) {
        const size_t panels = (range.channels + kPanel - 1) / kPanel;
        std::vector<float>& w = weights.emplace_back(panels * taps() * piece.length * kPanel);
        for (float& v : w) v = static_cast<float>(random.normal() * deviation);
        piece.weights = {w.data(), WeightType::float32};
        if (half) store_float16(w, piece);
        for_each(range, [&](size_t at, size_t pixel, size_t k) {
          sums[at] += product(range, piece, w, pixel, k);
        });
      }
      for_each(range, [&](size_t at, size_t, size_t k) {
        const double value = sums[at] * static_cast<double>(scale[range.y_offset + k]) +
                             static_cast<double>(shift[range.y_offset + k]);
        const float added = addend.empty() ? 0 : addend[at];
        expected[at] = std::max(static_cast<float>(value) + added, low);
      });
      for (size_t i = 0; depthwise && i < range.channels * taps(); ++i) {
        const size_t k = i / taps(), tap = i % taps();
        channel_weights[tap * channel_row + range.y_offset + k] =
            weights.back()[(k / kPanel * taps() + tap) * kPanel + k % kPanel];
      }
    }
    if (!depthwise) bundles = bundles_of(ranges, taps());
  }

  template <typename F>
  void for_each(const ConvRange& range, const F& f) const {
    for (size_t pixel = 0; pixel < y.height * y.width; ++pixel) {
      for (size_t k = 0; k < range.channels; ++k) {
        f(pixel * y.channels + range.y_offset + k, pixel, k);
      }
    }
  }

  // Rounds weights to what float16 can hold.
  void store_float16(std::vector<float>& w, ConvPiece& piece) {
    std::vector<uint16_t>& stored = halves.emplace_back();
    for (float& v : w) v = nestling::from_float16(stored.emplace_back(nestling::to_float16(v)));
    piece.weights = {stored.data(), WeightType::float16};
  }

  double product(const ConvRange& range, const ConvPiece& piece, const std::vector<float>& w_of,
                 size_t pixel, size_t k) const {
    double sum = 0;
    for (size_t tap = 0; tap < taps(); ++tap) {
      // What lies before the first row or column wraps around, and is outside too.
      const size_t row = pixel / y.width * node.stride[0] +
                         tap / node.kernel[1] * node.dilation[0] - node.padding[0];
      const size_t column = pixel % y.width * node.stride[1] +
                            tap % node.kernel[1] * node.dilation[1] - node.padding[1];
      if (row >= x.height || column >= x.width) continue;
      const float* values = input.data() + (row * x.width + column) * x.stride +
                            (depthwise ? range.y_offset + k : piece.x_offset);
      const float* w =
          w_of.data() + (k / kPanel * taps() + tap) * piece.length * kPanel + k % kPanel;
      for (size_t c = 0; c < piece.length; ++c) {
        sum += static_cast<double>(values[c]) * static_cast<double>(w[c * kPanel]);
      }
    }
    return sum;
  }
};

}  // namespace test
