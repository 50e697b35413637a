// Operators of each channel by itself: depthwise convolutions, and scales with offsets.
#include "runtime/simd_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/depthwise.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <algorithm>

#include "runtime/conv-inl.h"

HWY_BEFORE_NAMESPACE();
namespace nestling::runtime {
namespace HWY_NAMESPACE {

// One vector of channels, from channel `from` on, for the first pixels of a tile.
template <size_t kPixels>
HWY_INLINE void depthwise_tile(const ConvTask& task, size_t from, const Rows& rows, size_t taps,
                               float* y, size_t pixels) {
  const Lanes d;
  const size_t row = task.channel_row;
  hn::Vec<Lanes> sums[kPixels];
  for (auto& sum : sums) sum = hn::Zero(d);
  for (size_t tap = 0; tap < taps; ++tap) {
    const hn::Vec<Lanes> weight = hn::LoadU(d, task.channel_weights + tap * row + from);
    const float* const* x = rows.at + tap * kTile;
    for (size_t p = 0; p < kPixels; ++p) {
      sums[p] = hn::MulAdd(hn::LoadU(d, x[p] + from), weight, sums[p]);
    }
  }
  const Finish<Lanes> finish(d, task, from, task.y.channels);
  for (size_t p = 0; p < pixels; ++p) finish(d, sums[p], y + p * task.y.stride);
}

template <size_t kPixels>
HWY_INLINE void depthwise_pixels(const ConvTask& task, const Rows& rows, size_t taps, float* y,
                                 size_t pixels) {
  for (size_t from = 0; from < task.y.channels; from += kLanes) {
    depthwise_tile<kPixels>(task, from, rows, taps, y, pixels);
  }
}

// Where `count` pixels of a row of x lie, from a column on: at zeros where there are none.
HWY_NOINLINE void find_pixels(const ConvTask& task, int64_t row, int64_t column, size_t count,
                              const float** at) {
  const auto width = static_cast<int64_t>(task.x.width), all = static_cast<int64_t>(count);
  const bool inside = row >= 0 && row < static_cast<int64_t>(task.x.height);
  const int64_t begin = inside ? std::clamp<int64_t>(-column, 0, all) : all;
  const int64_t end = std::clamp(width - column, begin, all);
  for (int64_t j = 0; j < begin; ++j) at[j] = task.zeros;
  const float* x = task.x.data + (row * width + column) * static_cast<int64_t>(task.x.stride);
  for (int64_t j = begin; j < end; ++j) at[j] = x + j * static_cast<int64_t>(task.x.stride);
  for (int64_t j = end; j < all; ++j) at[j] = task.zeros;
}

// Square windows of kSize and kStride, over pixels that lie side by side: a pixel of x that several
// of them see is loaded once.
template <size_t kSize, size_t kStride>
struct SideBySide {
  static constexpr size_t kPixels = 7;  // which divides the widths of most networks
  static constexpr size_t kColumns = (kPixels - 1) * kStride + kSize;
  const float* at[kSize][kColumns];  // pixels of x, or zeros

  void find(const ConvTask& task, size_t row, size_t column) {
    const NodeSpec& node = *task.node;
    const int64_t top = static_cast<int64_t>(row * kStride) - node.padding[0];
    const int64_t left = static_cast<int64_t>(column * kStride) - node.padding[1];
    for (size_t i = 0; i < kSize; ++i) {
      find_pixels(task, top + static_cast<int64_t>(i), left, kColumns, at[i]);
    }
  }

  // One vector of channels, from channel `from` on; the first `pixels` are stored.
  HWY_INLINE void run(const ConvTask& task, size_t from, float* y, size_t pixels) const {
    const Lanes d;
    const size_t row = task.channel_row;
    hn::Vec<Lanes> sums[kPixels];
    HWY_UNROLL(8)
    for (size_t p = 0; p < kPixels; ++p) sums[p] = hn::Zero(d);
    for (size_t i = 0; i < kSize; ++i) {
      hn::Vec<Lanes> weights[kSize];
      HWY_UNROLL(8)
      for (size_t j = 0; j < kSize; ++j) {
        weights[j] = hn::LoadU(d, task.channel_weights + (i * kSize + j) * row + from);
      }
      HWY_UNROLL(32)
      for (size_t column = 0; column < kColumns; ++column) {
        const hn::Vec<Lanes> value = hn::LoadU(d, at[i][column] + from);
        HWY_UNROLL(8)
        for (size_t p = 0; p < kPixels; ++p) {
          if (column < p * kStride || column >= p * kStride + kSize) continue;
          sums[p] = hn::MulAdd(value, weights[column - p * kStride], sums[p]);
        }
      }
    }
    const Finish<Lanes> finish(d, task, from, task.y.channels);
    finish.template all<kPixels>(
        d, [&](size_t p) HWY_ATTR { return sums[p]; }, y, task.y.stride, pixels);
  }
};

template <size_t kSize, size_t kStride>
void depthwise_rows(const ConvTask& task, size_t first, size_t last, float* y) {
  using Window = SideBySide<kSize, kStride>;
  Window window;
  for (size_t pixel = first; pixel < last;) {
    const size_t column = pixel % task.y.width;
    const size_t pixels = std::min({Window::kPixels, task.y.width - column, last - pixel});
    window.find(task, pixel / task.y.width, column);
    for (size_t from = 0; from < task.y.channels; from += kLanes) {
      window.run(task, from, y, pixels);
    }
    y += pixels * task.y.stride;
    pixel += pixels;
  }
}

void DepthwiseImpl(const ConvTask& task, size_t first, size_t last, float* y, float* scratch) {
  const NodeSpec& node = *task.node;
  const auto is = [&](uint32_t size, uint32_t stride) {
    return node.kernel[0] == size && node.kernel[1] == size && node.stride[0] == stride &&
           node.stride[1] == stride && node.dilation[0] == 1 && node.dilation[1] == 1;
  };
  if (is(3, 1)) return depthwise_rows<3, 1>(task, first, last, y);
  if (is(3, 2)) return depthwise_rows<3, 2>(task, first, last, y);
  if (is(5, 1)) return depthwise_rows<5, 1>(task, first, last, y);
  if (is(5, 2)) return depthwise_rows<5, 2>(task, first, last, y);
  const size_t taps = taps_of(node);
  const Rows rows{reinterpret_cast<const float**>(scratch), nullptr};
  for (size_t pixel = first; pixel < last; pixel += kTile, y += kTile * task.y.stride) {
    rows.find(task, pixel, last);
    const size_t pixels = std::min(kTile, last - pixel);
    if (pixels > kTile / 2) {
      depthwise_pixels<kTile>(task, rows, taps, y, pixels);
    } else {
      depthwise_pixels<kTile / 2>(task, rows, taps, y, pixels);
    }
  }
}

void AffineImpl(const ConvTask& task, size_t first, size_t last) {
  const Lanes d;
  for (size_t from = 0; from < task.y.channels; from += kLanes) {
    const Finish<Lanes> finish(d, task, from, task.y.channels);
    for (size_t pixel = first; pixel < last; ++pixel) {
      finish(d, hn::LoadU(d, task.x.data + pixel * task.x.stride + from),
             task.y.data + pixel * task.y.stride);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace nestling::runtime
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nestling::runtime {

HWY_EXPORT(DepthwiseImpl);
HWY_EXPORT(AffineImpl);

void depthwise(const ConvTask& task, size_t first, size_t last, float* y, float* scratch) {
  HWY_DYNAMIC_DISPATCH(DepthwiseImpl)(task, first, last, y, scratch);
}
void affine(const ConvTask& task, size_t first, size_t last) {
  HWY_DYNAMIC_DISPATCH(AffineImpl)(task, first, last);
}

}  // namespace nestling::runtime
#endif
