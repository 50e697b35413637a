// What the convolutions share: their vectors, the weights of panels, what becomes of a sum.
// Included once for every instruction set (hwy/foreach_target.h).
#if defined(NESTLING_RUNTIME_CONV_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef NESTLING_RUNTIME_CONV_INL_H
#undef NESTLING_RUNTIME_CONV_INL_H
#else
#define NESTLING_RUNTIME_CONV_INL_H
#endif

#include <cstring>
#include <hwy/highway.h>

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

}  // namespace HWY_NAMESPACE
}  // namespace nestling::runtime
HWY_AFTER_NAMESPACE();

#endif  // toggled
