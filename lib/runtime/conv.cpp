// Convolutions as indirect matrix products: the reduction of an output runs over (block, tap, input
// channel) while the sums stay in registers, so a layer whose weights lie in several blocks costs
// what a dense one costs.
#include "runtime/simd_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/conv.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <algorithm>

#include "runtime/conv-inl.h"

HWY_BEFORE_NAMESPACE();
namespace nestling::runtime {
namespace HWY_NAMESPACE {
constexpr size_t kFewChannels = 8;

// Whether all columns of a kernel's row are read at once, as one row of kernel[1] * channels
// numbers, which is how they and their weights lie: with few channels a tap alone is too short a
// loop.
bool whole_rows(const ConvTask& task) {
  const NodeSpec& node = *task.node;
  return task.x.channels <= kFewChannels && node.kernel[1] > 1 && node.dilation[1] == 1 &&
         std::all_of(task.ranges->begin(), task.ranges->end(), [&](const ConvRange& range) {
           return range.pieces.size() == 1 && range.pieces[0].length == task.x.channels;
         });
}

// Where each tap, or row of taps, of each pixel of a tile begins: the pixel of x that it sees, or
// zeros, or, where a row of taps reaches over the edge, a copy with zeros. Pixels behind the last
// are the last one again.
struct Rows {
  const float** at;  // [tap][kTile]
  float* copies;     // [tap][kTile][kernel width * channels], of rows of taps

  void find(const ConvTask& task, size_t first, size_t last) const {
    const NodeSpec& node = *task.node;
    const size_t taps = size_t{node.kernel[0]} * node.kernel[1];
    if (taps == 1 && node.stride[0] == 1 && node.stride[1] == 1 && task.y.width == task.x.width &&
        task.y.height == task.x.height) {
      for (size_t p = 0; p < kTile; ++p) {
        at[p] = task.x.data + std::min(first + p, last - 1) * task.x.channels;
      }
      return;
    }
    size_t row = first / task.y.width, column = first % task.y.width;
    for (size_t p = 0; p < kTile; ++p) {
      const int64_t top = static_cast<int64_t>(row * node.stride[0]) - node.padding[0];
      const int64_t left = static_cast<int64_t>(column * node.stride[1]) - node.padding[1];
      if (copies != nullptr) {
        find_rows(task, top, left, p);
      } else {
        find_taps(task, top, left, p);
      }
      if (first + p + 1 < last && ++column == task.y.width) {
        column = 0;
        ++row;
      }
    }
  }

 private:
  void find_taps(const ConvTask& task, int64_t top, int64_t left, size_t p) const {
    const NodeSpec& node = *task.node;
    const auto height = static_cast<int64_t>(task.x.height);
    const auto width = static_cast<int64_t>(task.x.width);
    const float** to = at + p;
    for (uint32_t i = 0; i < node.kernel[0]; ++i) {
      const int64_t row = top + int64_t{i} * node.dilation[0];
      for (uint32_t j = 0; j < node.kernel[1]; ++j, to += kTile) {
        const int64_t column = left + int64_t{j} * node.dilation[1];
        const bool inside = row >= 0 && row < height && column >= 0 && column < width;
        *to = inside ? task.x.data + static_cast<size_t>(row * width + column) * task.x.channels
                     : task.zeros;
      }
    }
  }

  void find_rows(const ConvTask& task, int64_t top, int64_t left, size_t p) const {
    const NodeSpec& node = *task.node;
    const auto width = static_cast<int64_t>(task.x.width);
    const auto channels = static_cast<int64_t>(task.x.channels);
    const int64_t begin = std::max<int64_t>(left, 0);
    const int64_t end = std::min<int64_t>(left + node.kernel[1], width);
    const int64_t length = node.kernel[1] * channels;
    for (uint32_t i = 0; i < node.kernel[0]; ++i) {
      const int64_t row = top + int64_t{i} * node.dilation[0];
      const bool inside = row >= 0 && row < static_cast<int64_t>(task.x.height) && begin < end;
      const float* from = task.x.data + (row * width + begin) * channels;
      if (inside && end - begin == node.kernel[1]) {
        at[i * kTile + p] = from;
        continue;
      }
      float* copy = copies + static_cast<int64_t>(i * kTile + p) * length;
      std::fill_n(copy, length, 0.0F);
      if (inside) std::copy_n(from, (end - begin) * channels, copy + (begin - left) * channels);
      at[i * kTile + p] = copy;
    }
  }
};

// The memory of a thread's tiles, in floats.
size_t ScratchImpl(const ConvTask& task) {
  const NodeSpec& node = *task.node;
  const size_t pixels = task.y.height * task.y.width;
  const size_t taps = size_t{node.kernel[0]} * node.kernel[1];
  const size_t tiles = std::min((pixels + kTile - 1) / kTile, kConvTiles);
  constexpr size_t kPointer = sizeof(const float*) / sizeof(float);
  const size_t copies = task.x.channels <= kFewChannels ? kTile * taps * task.x.channels : 0;
  return tiles * taps * kTile * kPointer + copies;
}

// How a kernel is walked: `count` times over `columns` of its columns at once.
struct Taps {
  size_t count, columns;
};

// Some vectors of channels, from panel `panel` on, for the first pixels of a tile, of which
// `pixels` are stored.
template <size_t kPixels, size_t kCount, class D>
HWY_INLINE void tile(D d, const ConvTask& task, const ConvRange& range, size_t panel,
                     const Rows& rows, const Taps& taps, float* y, size_t pixels) {
  hn::Vec<D> sums[kPixels][kCount];
  for (auto& pixel : sums) {
    for (auto& v : pixel) v = hn::Zero(d);
  }
  for (const ConvPiece& piece : range.pieces) {
    const size_t length = piece.length * taps.columns;
    const size_t panel_floats = taps.count * length * kPanel;
    const float* w = piece.weights + panel * panel_floats;
    for (size_t tap = 0; tap < taps.count; ++tap) {
      const float* x[kPixels];
      for (size_t p = 0; p < kPixels; ++p) x[p] = rows.at[tap * kTile + p] + piece.x_offset;
      for (size_t c = 0; c < length; ++c, w += kPanel) {
        hn::Vec<D> weight[kCount];
        for (size_t v = 0; v < kCount; ++v) weight[v] = weights_at(d, w, panel_floats, v);
        for (size_t p = 0; p < kPixels; ++p) {
          const hn::Vec<D> value = hn::Set(d, x[p][c]);
          for (size_t v = 0; v < kCount; ++v) {
            sums[p][v] = hn::MulAdd(value, weight[v], sums[p][v]);
          }
        }
      }
    }
  }
  for (size_t v = 0; v < kCount; ++v) {
    const Finish<D> finish(d, task, range, panel * kPanel + v * hn::MaxLanes(d));
    for (size_t p = 0; p < kPixels; ++p) {
      if (p < pixels) finish(d, sums[p][v], y + p * task.y.channels);
    }
  }
}

// One group of at most kMost panels, for the first pixels of a tile.
template <size_t kPixels>
HWY_INLINE void group(const ConvTask& task, const ConvRange& range, size_t panel, const Rows& rows,
                      const Taps& taps, float* y, size_t pixels) {
  constexpr size_t kFew = HWY_MAX(1, kMost / 2);
  const size_t end = std::min(panel + kMost, range.panels);
  if (panel + kMost == end) {
    tile<kPixels, kVectors>(Lanes(), task, range, panel, rows, taps, y, pixels);
    return;
  }
  if constexpr (kFew < kMost) {
    for (; panel + kFew <= end; panel += kFew) {
      tile<kPixels, kVectors / 2>(Lanes(), task, range, panel, rows, taps, y, pixels);
    }
  }
  if constexpr (kFew > 1) {
    if (panel < end) tile<kPixels, 1>(PanelLanes(), task, range, panel, rows, taps, y, pixels);
  }
}

size_t GroupsImpl(const ConvTask& task) {
  size_t groups = 0;
  for (const ConvRange& range : *task.ranges) groups += (range.panels + kMost - 1) / kMost;
  return groups;
}

void ConvImpl(const ConvTask& task, const ConvPart& part, float* scratch) {
  const NodeSpec& node = *task.node;
  const size_t all_taps = size_t{node.kernel[0]} * node.kernel[1];
  const bool rows = whole_rows(task);
  const Taps taps = rows ? Taps{node.kernel[0], node.kernel[1]} : Taps{all_taps, 1};
  Rows tiles[kConvTiles];
  const auto** pointers = reinterpret_cast<const float**>(scratch);
  const size_t count = (part.last_pixel - part.first_pixel + kTile - 1) / kTile;
  float* copies = reinterpret_cast<float*>(pointers + count * taps.count * kTile);
  const auto find = [&](size_t t) {
    tiles[t] = {pointers + t * taps.count * kTile, rows ? copies : nullptr};
    tiles[t].find(task, part.first_pixel + t * kTile, part.last_pixel);
  };
  // Groups first..last - 1 of the channels of tiles from..to - 1.
  const auto run = [&](size_t from, size_t to) {
    size_t g = 0;
    for (const ConvRange& range : *task.ranges) {
      for (size_t panel = 0; panel < range.panels; panel += kMost, ++g) {
        if (g < part.first_group || g >= part.last_group) continue;
        for (size_t t = from; t < to; ++t) {
          const size_t pixel = part.first_pixel + t * kTile;
          const size_t pixels = std::min(kTile, part.last_pixel - pixel);
          float* y = task.y.data + pixel * task.y.channels;
          if (pixels > kTile / 2) {
            group<kTile>(task, range, panel, tiles[t], taps, y, pixels);
          } else {
            group<kTile / 2>(task, range, panel, tiles[t], taps, y, pixels);
          }
        }
      }
    }
  };
  if (rows) {  // one tile after the other, which share the copies: such layers have few weights
    for (size_t t = 0; t < count; ++t) {
      find(t);
      run(t, t + 1);
    }
  } else {  // weights that a group of channels has fetched serve all tiles of the part
    for (size_t t = 0; t < count; ++t) find(t);
    run(0, count);
  }
}

constexpr size_t kPanelLanes = HWY_MIN(kLanes, kPanel);

// One vector of channels, from channel `from` of the range on, for the first pixels of a tile.
template <size_t kPixels, class D>
HWY_INLINE void depthwise_tile(D d, const ConvTask& task, const ConvRange& range, size_t from,
                               const Rows& rows, size_t taps, float* y, size_t pixels) {
  const float* w = range.pieces[0].weights + from / kPanel * taps * kPanel + from % kPanel;
  hn::Vec<D> sums[kPixels];
  for (auto& sum : sums) sum = hn::Zero(d);
  for (size_t tap = 0; tap < taps; ++tap) {
    const hn::Vec<D> weight = weights_at(d, w + tap * kPanel, taps * kPanel, 0);
    const float* const* x = rows.at + tap * kTile;
    for (size_t p = 0; p < kPixels; ++p) {
      sums[p] = hn::MulAdd(hn::LoadU(d, x[p] + range.y_offset + from), weight, sums[p]);
    }
  }
  const Finish<D> finish(d, task, range, from);
  for (size_t p = 0; p < pixels; ++p) finish(d, sums[p], y + p * task.y.channels);
}

template <size_t kPixels>
HWY_INLINE void depthwise_pixels(const ConvTask& task, const Rows& rows, size_t taps, float* y,
                                 size_t pixels) {
  for (const ConvRange& range : *task.ranges) {
    const size_t channels = range.panels * kPanel;
    size_t from = 0;
    for (; from + kLanes <= channels; from += kLanes) {
      depthwise_tile<kPixels>(Lanes(), task, range, from, rows, taps, y, pixels);
    }
    if (from < channels) {
      depthwise_tile<kPixels>(PanelLanes(), task, range, from, rows, taps, y, pixels);
    }
  }
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
      const int64_t y = top + static_cast<int64_t>(i);
      for (size_t j = 0; j < kColumns; ++j) {
        const int64_t x = left + static_cast<int64_t>(j);
        const bool inside = y >= 0 && y < static_cast<int64_t>(task.x.height) && x >= 0 &&
                            x < static_cast<int64_t>(task.x.width);
        at[i][j] = inside ? task.x.data +
                                (static_cast<size_t>(y) * task.x.width + static_cast<size_t>(x)) *
                                    task.x.channels
                          : task.zeros;
      }
    }
  }

  // One vector of channels, from channel `from` of the range on; the first `pixels` are stored.
  template <class D>
  HWY_INLINE void run(D d, const ConvTask& task, const ConvRange& range, size_t from, float* y,
                      size_t pixels) const {
    const size_t panel_floats = kSize * kSize * kPanel;
    const float* w = range.pieces[0].weights + from / kPanel * panel_floats + from % kPanel;
    hn::Vec<D> sums[kPixels];
    for (auto& sum : sums) sum = hn::Zero(d);
    for (size_t i = 0; i < kSize; ++i) {
      hn::Vec<D> weights[kSize];
      for (size_t j = 0; j < kSize; ++j) {
        weights[j] = weights_at(d, w + (i * kSize + j) * kPanel, panel_floats, 0);
      }
      HWY_UNROLL(32)
      for (size_t column = 0; column < kColumns; ++column) {
        const hn::Vec<D> value = hn::LoadU(d, at[i][column] + range.y_offset + from);
        HWY_UNROLL(8)
        for (size_t p = 0; p < kPixels; ++p) {
          if (column < p * kStride || column >= p * kStride + kSize) continue;
          sums[p] = hn::MulAdd(value, weights[column - p * kStride], sums[p]);
        }
      }
    }
    const Finish<D> finish(d, task, range, from);
    for (size_t p = 0; p < pixels; ++p) finish(d, sums[p], y + p * task.y.channels);
  }
};

template <size_t kSize, size_t kStride>
void depthwise_rows(const ConvTask& task, size_t first, size_t last) {
  using Window = SideBySide<kSize, kStride>;
  Window window;
  for (size_t pixel = first; pixel < last;) {
    const size_t column = pixel % task.y.width;
    const size_t pixels = std::min({Window::kPixels, task.y.width - column, last - pixel});
    window.find(task, pixel / task.y.width, column);
    float* y = task.y.data + pixel * task.y.channels;
    for (const ConvRange& range : *task.ranges) {
      const size_t channels = range.panels * kPanel;
      size_t from = 0;
      for (; from + kLanes <= channels; from += kLanes) {
        window.run(Lanes(), task, range, from, y, pixels);
      }
      if (from < channels) window.run(PanelLanes(), task, range, from, y, pixels);
    }
    pixel += pixels;
  }
}

void DepthwiseImpl(const ConvTask& task, size_t first, size_t last, float* scratch) {
  const NodeSpec& node = *task.node;
  const auto is = [&](uint32_t size, uint32_t stride) {
    return node.kernel[0] == size && node.kernel[1] == size && node.stride[0] == stride &&
           node.stride[1] == stride && node.dilation[0] == 1 && node.dilation[1] == 1;
  };
  if (is(3, 1)) return depthwise_rows<3, 1>(task, first, last);
  if (is(3, 2)) return depthwise_rows<3, 2>(task, first, last);
  if (is(5, 1)) return depthwise_rows<5, 1>(task, first, last);
  if (is(5, 2)) return depthwise_rows<5, 2>(task, first, last);
  const size_t taps = size_t{node.kernel[0]} * node.kernel[1];
  const Rows rows{reinterpret_cast<const float**>(scratch), nullptr};
  for (size_t pixel = first; pixel < last; pixel += kTile) {
    rows.find(task, pixel, last);
    const size_t pixels = std::min(kTile, last - pixel);
    float* y = task.y.data + pixel * task.y.channels;
    if (pixels > kTile / 2) {
      depthwise_pixels<kTile>(task, rows, taps, y, pixels);
    } else {
      depthwise_pixels<kTile / 2>(task, rows, taps, y, pixels);
    }
  }
}

void AffineImpl(const ConvTask& task, size_t first, size_t last) {
  const PanelLanes d;
  for (size_t pixel = first; pixel < last; ++pixel) {
    const float* x = task.x.data + pixel * task.x.channels;
    for (const ConvRange& range : *task.ranges) {
      for (size_t from = 0; from < range.panels * kPanel; from += kPanelLanes) {
        Finish<PanelLanes>(d, task, range, from)(d, hn::LoadU(d, x + range.y_offset + from),
                                                 task.y.data + pixel * task.y.channels);
      }
    }
  }
}

size_t TileImpl() { return kTile; }
const char* SimdNameImpl() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace nestling::runtime
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nestling::runtime {

HWY_EXPORT(ScratchImpl);
HWY_EXPORT(ConvImpl);
HWY_EXPORT(GroupsImpl);
HWY_EXPORT(DepthwiseImpl);
HWY_EXPORT(AffineImpl);
HWY_EXPORT(TileImpl);
HWY_EXPORT(SimdNameImpl);

size_t conv_scratch(const ConvTask& task) { return HWY_DYNAMIC_DISPATCH(ScratchImpl)(task); }
void conv(const ConvTask& task, const ConvPart& part, float* scratch) {
  HWY_DYNAMIC_DISPATCH(ConvImpl)(task, part, scratch);
}
size_t conv_groups(const ConvTask& task) { return HWY_DYNAMIC_DISPATCH(GroupsImpl)(task); }
void depthwise(const ConvTask& task, size_t first, size_t last, float* scratch) {
  HWY_DYNAMIC_DISPATCH(DepthwiseImpl)(task, first, last, scratch);
}
void affine(const ConvTask& task, size_t first, size_t last) {
  HWY_DYNAMIC_DISPATCH(AffineImpl)(task, first, last);
}
const char* simd_name() { return HWY_DYNAMIC_DISPATCH(SimdNameImpl)(); }
size_t conv_tile() { return HWY_DYNAMIC_DISPATCH(TileImpl)(); }

}  // namespace nestling::runtime
#endif
