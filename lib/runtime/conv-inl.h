// What the convolutions share: their vectors, the pixels that a window sees, the weights of panels,
// what becomes of a sum.
// Included once for every instruction set (hwy/foreach_target.h).
#if defined(NESTLING_RUNTIME_CONV_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef NESTLING_RUNTIME_CONV_INL_H
#undef NESTLING_RUNTIME_CONV_INL_H
#else
#define NESTLING_RUNTIME_CONV_INL_H
#endif

#include <algorithm>
#include <cstring>
#include <hwy/highway.h>
#include <type_traits>

#include "runtime/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace nestling::runtime {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Vectors of as many output channels as the processor has lanes, up to two panels. A tile's sums,
// the weights that meet them and one value fill its registers.
constexpr size_t kMostLanes = size_t{2} * kPanel;
using Lanes = hn::CappedTag<float, kMostLanes>;
constexpr size_t kLanes = HWY_MIN(HWY_LANES(float), kMostLanes);
constexpr bool kManyRegisters = HWY_ARCH_ARM_A64 || kLanes == kMostLanes;  // 32, not 16
constexpr size_t kTile = kLanes == kMostLanes ? 14 : 6;                    // pixels
constexpr size_t kVectors = kLanes == 1 ? kPanel : kManyRegisters && kLanes < kPanel ? 4 : 2;
constexpr size_t kFew = HWY_MAX(1, kVectors / 2);  // of a group that is not full
constexpr size_t kGroup = kVectors * kLanes;       // output channels that are computed together
constexpr bool kTwoPanels = kLanes > kPanel;       // a vector is put together from two panels

// The pixel of x that lies there, or zeros where none does.
HWY_INLINE const float* pixel_or_zeros(const ConvTask& task, int64_t row, int64_t column) {
  const auto height = static_cast<int64_t>(task.x.height);
  const auto width = static_cast<int64_t>(task.x.width);
  const bool inside = row >= 0 && row < height && column >= 0 && column < width;
  return inside ? task.x.data + static_cast<size_t>(row * width + column) * task.x.stride
                : task.zeros;
}

// Where each tap, or row of taps, of each pixel of a tile begins: the pixel of x that it sees, or
// zeros, or, where a row of taps reaches over the edge, a copy with zeros. Pixels behind the last
// are the last one again.
struct Rows {
  const float** at;  // [tap][kTile]
  float* copies;     // [tap][kTile][kernel width * channels], of rows of taps

  void find(const ConvTask& task, size_t first, size_t last) const {
    const NodeSpec& node = *task.node;
    const size_t taps = size_t{node.kernel[0]} * (copies != nullptr ? 1 : node.kernel[1]);
    if (taps == 1 && node.kernel[1] == 1 && node.stride[0] == 1 && node.stride[1] == 1 &&
        task.y.width == task.x.width && task.y.height == task.x.height) {
      for (size_t p = 0; p < kTile; ++p) {
        at[p] = task.x.data + std::min(first + p, last - 1) * task.x.stride;
      }
      return;
    }
    size_t row = first / task.y.width, column = first % task.y.width;
    for (size_t p = 0; p < kTile;) {
      if (first + p >= last) {
        for (size_t tap = 0; tap < taps; ++tap) at[tap * kTile + p] = at[tap * kTile + p - 1];
        ++p;
        continue;
      }
      const int64_t top = static_cast<int64_t>(row * node.stride[0]) - node.padding[0];
      const int64_t left = static_cast<int64_t>(column * node.stride[1]) - node.padding[1];
      const size_t most = std::min({kTile - p, task.y.width - column, last - first - p});
      size_t count = find_inside(task, top, left, p, most);
      if (count == 0) {
        count = 1;
        if (copies != nullptr) {
          find_rows(task, top, left, p);
        } else {
          find_taps(task, top, left, p);
        }
      }
      p += count;
      column += count;
      if (column == task.y.width) {
        column = 0;
        ++row;
      }
    }
  }

 private:
  // As many of the next pixels of a row, up to `most`, as have windows that do not reach over an
  // edge. Returns how many these are.
  size_t find_inside(const ConvTask& task, int64_t top, int64_t left, size_t p, size_t most) const {
    const NodeSpec& node = *task.node;
    const int64_t height = task.x.height, width = task.x.width, apart = task.x.stride;
    // The places at which the window of the first would end.
    const int64_t bottom = top + int64_t{node.dilation[0]} * (node.kernel[0] - 1);
    const int64_t right = left + int64_t{node.dilation[1]} * (node.kernel[1] - 1);
    if (top < 0 || left < 0 || bottom >= height || right >= width) return 0;
    const size_t count = std::min<size_t>(most, (width - 1 - right) / node.stride[1] + 1);
    const uint32_t columns = copies != nullptr ? 1 : node.kernel[1];
    const float** to = at + p;
    for (uint32_t i = 0; i < node.kernel[0]; ++i) {
      for (uint32_t j = 0; j < columns; ++j, to += kTile) {
        const int64_t place =
            (top + int64_t{i} * node.dilation[0]) * width + left + int64_t{j} * node.dilation[1];
        const float* from = task.x.data + place * apart;
        for (size_t q = 0; q < count; ++q, from += node.stride[1] * apart) to[q] = from;
      }
    }
    return count;
  }

  void find_taps(const ConvTask& task, int64_t top, int64_t left, size_t p) const {
    const NodeSpec& node = *task.node;
    const float** to = at + p;
    for (uint32_t i = 0; i < node.kernel[0]; ++i) {
      for (uint32_t j = 0; j < node.kernel[1]; ++j, to += kTile) {
        *to = pixel_or_zeros(task, top + int64_t{i} * node.dilation[0],
                             left + int64_t{j} * node.dilation[1]);
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

// What becomes of the sums of one vector of channels of y, of those from `from` to `end` - 1:
// scaled, shifted, added to what is there, clamped, and stored.
template <class D>
class Finish {
 public:
  HWY_INLINE Finish(D d, const ConvTask& task, size_t from, size_t end)
      : scale_(hn::LoadU(d, task.scale + from)),
        shift_(hn::LoadU(d, task.shift + from)),
        low_(hn::Set(d, task.low)),
        high_(hn::Set(d, task.high)),
        addend_(task.addend),
        y_(task.y.data),
        offset_(from),
        count_(end - from) {}

  HWY_INLINE void operator()(D d, hn::Vec<D> sums, float* pixel) const {
    hn::Vec<D> y = hn::MulAdd(sums, scale_, shift_);
    const float* addend = addend_ == nullptr ? nullptr : addend_ + (pixel + offset_ - y_);
    if (HWY_UNLIKELY(count_ < hn::MaxLanes(d))) {
      return finish_few(d, y, low_, high_, addend, count_, pixel + offset_);
    }
    if (addend != nullptr) y = hn::Add(y, hn::LoadU(d, addend));
    hn::StoreU(hn::Min(hn::Max(y, low_), high_), d, pixel + offset_);
  }

  // The same for kPixels pixels that lie `stride` floats apart, of which the first `pixels` are
  // stored; sum(p). Nearly always all are, whole, and nothing is added: asked once, not for each.
  template <size_t kPixels, class Sum>
  HWY_INLINE void all(D d, const Sum& sum, float* y, size_t stride, size_t pixels) const {
    if (HWY_LIKELY(addend_ == nullptr && count_ >= hn::MaxLanes(d) && pixels == kPixels)) {
      float* to = y + offset_;
      HWY_UNROLL(16)
      for (size_t p = 0; p < kPixels; ++p, to += stride) {
        hn::StoreU(hn::Min(hn::Max(hn::MulAdd(sum(p), scale_, shift_), low_), high_), d, to);
      }
      return;
    }
    HWY_ALIGN float sums[kPixels * hn::MaxLanes(D())];
    HWY_UNROLL(16)
    for (size_t p = 0; p < kPixels; ++p) hn::Store(sum(p), d, sums + p * hn::MaxLanes(d));
    for (size_t p = 0; p < pixels; ++p) {
      (*this)(d, hn::Load(d, sums + p * hn::MaxLanes(d)), y + p * stride);
    }
  }

 private:
  // The same for fewer channels than lanes. Only what belongs to these: y may lie over what is
  // added, and another thread may be writing what comes behind.
#if HWY_TARGET <= HWY_AVX2  // whose masked loads and stores leave alone what is not theirs
  static HWY_INLINE void finish_few(D d, hn::Vec<D> y, hn::Vec<D> low, hn::Vec<D> high,
                                    const float* addend, size_t count, float* to) {
    const auto mask = hn::FirstN(d, count);
    if (addend != nullptr) y = hn::Add(y, hn::MaskedLoad(mask, d, addend));
    hn::BlendedStore(hn::Min(hn::Max(y, low), high), mask, d, to);
  }
#else  // a function, as kernels contain it dozens of times
  static HWY_NOINLINE void finish_few(D d, hn::Vec<D> y, hn::Vec<D> low, hn::Vec<D> high,
                                      const float* addend, size_t count, float* to) {
    HWY_ALIGN float buffer[kMostLanes] = {};
    if (addend != nullptr) {
      std::memcpy(buffer, addend, count * sizeof(float));
      y = hn::Add(y, hn::Load(d, buffer));
    }
    hn::Store(hn::Min(hn::Max(y, low), high), d, buffer);
    std::memcpy(to, buffer, count * sizeof(float));
  }
#endif

  hn::Vec<D> scale_, shift_, low_, high_;
  const float *addend_, *y_;
  size_t offset_, count_;
};

constexpr size_t kGroupPanels = kGroup / kPanel;

// The vectors of a group that is read where it is: a row of weights is kPanel numbers in each of
// some panels.
struct PanelRows {
  const float* at[kGroupPanels];

  HWY_INLINE PanelRows from(size_t offset) const {
    PanelRows rows;
    for (size_t i = 0; i < kGroupPanels; ++i) rows.at[i] = at[i] + offset;
    return rows;
  }

  HWY_INLINE hn::Vec<Lanes> operator()(size_t offset, size_t v) const {
    const Lanes d;
#if HWY_TARGET != HWY_SCALAR  // which has no halves
    if constexpr (kTwoPanels) {
      const hn::Half<Lanes> half;
      return hn::Combine(d, hn::LoadU(half, at[2 * v + 1] + offset),
                         hn::LoadU(half, at[2 * v] + offset));
    }
#endif
    return hn::LoadU(d, at[v * kLanes / kPanel] + offset + v * kLanes % kPanel);
  }
};

// The rows of the group of output channels from `first` on, for a tap and the input channels from
// `channel` on; `count` becomes how many of these the blocks have. What is missing of a last group
// is its last panel again.
HWY_INLINE PanelRows panel_rows(const Bundle& bundle, size_t first, size_t tap, size_t channel,
                                size_t& count) {
  PanelRows rows;
  for (size_t i = 0; i < kGroupPanels; ++i) {
    const size_t index = std::min(first / kPanel + i, bundle.panels.size() - 1);
    const Bundle::Panel::Block& block = bundle.panels[index].block_of(channel);
    const size_t before = channel - block.first;
    rows.at[i] = block.weights.floats() + (tap * block.length + before) * kPanel;
    count = std::min(count, block.length - before);
  }
  return rows;
}

// Some of a row of weights.
template <class D>
HWY_INLINE hn::Vec<D> load_weights(D d, const float* w) {
  return hn::LoadU(d, w);
}
template <class D>
HWY_INLINE hn::Vec<D> load_weights(D d, const uint16_t* w) {
  const hn::Rebind<hwy::float16_t, D> half;
  return hn::PromoteTo(d, hn::LoadU(half, reinterpret_cast<const hwy::float16_t*>(w)));
}

// `count` rows of kPanel weights from w on, to every kGroup-th float.
template <typename T>
HWY_INLINE void pack_rows(const T* w, size_t count, float* to) {
  const hn::CappedTag<float, kPanel> d;
  for (size_t r = 0; r < count; ++r, w += kPanel, to += kGroup) {
    for (size_t i = 0; i < kPanel; i += hn::MaxLanes(d)) {
      hn::StoreU(load_weights(d, w + i), d, to + i);
    }
  }
}

// A part of a bundle's weights as one matrix, to[step][kGroup], of the group of output channels
// from `first` on. Lanes behind the last channel have any numbers.
HWY_INLINE void pack_weights(const Bundle& bundle, size_t first, size_t step, size_t count,
                             float* to) {
  for_each_weights(
      bundle, first, kGroup, step, count,
      [&](StoredWeights w, size_t rows, size_t at, size_t lane, size_t skipped, size_t channels)
          HWY_ATTR {
            const bool half = w.type == WeightType::float16;
            float* row = to + (at - step) * kGroup + lane;
            // Whole panels where there is room: what is too much is overwritten by the
            // next one.
            if (skipped == 0 && lane + kPanel <= kGroup) {
              return half ? pack_rows(w.halves(), rows, row) : pack_rows(w.floats(), rows, row);
            }
            float buffer[kPanel];
            for (size_t r = 0; r < rows; ++r, w = w.from(kPanel), row += kGroup) {
              if (half) pack_rows(w.halves(), 1, buffer);
              std::memcpy(row, (half ? buffer : w.floats()) + skipped, channels * sizeof(float));
            }
          });
}

#if HWY_ARCH_ARM_A64
// sums[p][v] += x[p][i] * weights(i, v) for the four steps i from `offset` on. An instruction here
// multiplies by one lane of a vector, so that a pixel's four steps take one load and not four.
template <size_t kPixels, size_t kCount, class Weights>
HWY_INLINE void multiply_four(const float* const (&x)[kPixels], size_t offset,
                              const Weights& weights, hn::Vec<Lanes> (&sums)[kPixels][kCount]) {
  static_assert(kLanes == 4);
  const Lanes d;
  hn::Vec<Lanes> values[kPixels];
  HWY_UNROLL(16)
  for (size_t p = 0; p < kPixels; ++p) values[p] = hn::LoadU(d, x[p] + offset);
  const auto step = [&](auto lane) HWY_ATTR {
    HWY_UNROLL(4)
    for (size_t v = 0; v < kCount; ++v) {
      const hn::Vec<Lanes> weight = weights(offset + lane(), v);
      HWY_UNROLL(16)
      for (size_t p = 0; p < kPixels; ++p) {
        sums[p][v] = hn::MulAdd(hn::Broadcast<lane()>(values[p]), weight, sums[p][v]);
      }
    }
  };
  step(std::integral_constant<int, 0>());
  step(std::integral_constant<int, 1>());
  step(std::integral_constant<int, 2>());
  step(std::integral_constant<int, 3>());
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace nestling::runtime
HWY_AFTER_NAMESPACE();

#endif  // toggled
