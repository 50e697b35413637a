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
using PanelLanes = hn::CappedTag<float, kPanel>;
constexpr size_t kLanes = HWY_MIN(HWY_LANES(float), kMostLanes);
constexpr bool kManyRegisters = HWY_ARCH_ARM_A64 || kLanes == kMostLanes;  // 32, not 16
constexpr size_t kTile = kLanes == kMostLanes ? 12 : 6;                    // pixels
constexpr size_t kVectors = kLanes == 1 ? kPanel : kManyRegisters && kLanes < kPanel ? 4 : 2;
constexpr size_t kMost = kVectors * kLanes / kPanel;  // panels that are computed together

// What becomes of the sums of one vector of channels, from channel `from` of a range on: scaled,
// shifted, added to what is there, clamped, and stored.
template <class D>
class Finish {
 public:
  HWY_INLINE Finish(D d, const ConvTask& task, const ConvRange& range, size_t from)
      : scale_(hn::LoadU(d, range.scale + from)),
        shift_(hn::LoadU(d, range.shift + from)),
        low_(hn::Set(d, task.low)),
        high_(hn::Set(d, task.high)),
        addend_(task.addend),
        y_(task.y.data),
        offset_(range.y_offset + from),
        count_(from < range.channels ? range.channels - from : 0) {}

  HWY_INLINE void operator()(D d, hn::Vec<D> sums, float* pixel) const {
    hn::Vec<D> y = hn::MulAdd(sums, scale_, shift_);
    if (addend_ != nullptr) y = hn::Add(y, hn::LoadU(d, addend_ + (pixel + offset_ - y_)));
    y = hn::Min(hn::Max(y, low_), high_);
    if (HWY_LIKELY(count_ >= hn::MaxLanes(d))) {
      hn::StoreU(y, d, pixel + offset_);
    } else {
#if HWY_TARGET <= HWY_AVX2  // whose masked stores leave alone what is not theirs
      hn::BlendedStore(y, hn::FirstN(d, count_), d, pixel + offset_);
#else
      HWY_ALIGN float buffer[kMostLanes];
      hn::Store(y, d, buffer);
      std::memcpy(pixel + offset_, buffer, count_ * sizeof(float));
#endif
    }
  }

 private:
  hn::Vec<D> scale_, shift_, low_, high_;
  const float *addend_, *y_;
  size_t offset_, count_;
};

// Vector `v` of the weights of the panels from `w` on, which lie `panel_floats` apart.
template <class D>
HWY_INLINE hn::Vec<D> weights_at(D d, const float* w, size_t panel_floats, size_t v) {
  constexpr size_t kWidth = hn::MaxLanes(d);
#if HWY_TARGET != HWY_SCALAR  // which has no halves
  if constexpr (kWidth > kPanel) {
    const hn::Half<D> half;
    const float* low = w + 2 * v * panel_floats;
    return hn::Combine(d, hn::LoadU(half, low + panel_floats), hn::LoadU(half, low));
  }
#endif
  return hn::LoadU(d, w + v * kWidth / kPanel * panel_floats + v * kWidth % kPanel);
}

}  // namespace HWY_NAMESPACE
}  // namespace nestling::runtime
HWY_AFTER_NAMESPACE();

#endif  // toggled
