#include "train/line_loops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/line_loops.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace nestling::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Calls step(tag of some lanes, i) for vectors from number i on; the last numbers are vectors of
// one.
template <typename Step>
HWY_INLINE void each_vector(size_t count, const Step& step) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) step(d, i);
  for (; i < count; ++i) step(one, i);
}

void AddMoments(const float* x, const float* origin, size_t count, float* sums, float* squares) {
  each_vector(count, [&](auto d, size_t i) HWY_ATTR {
    const auto off = hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, origin + i));
    hn::StoreU(hn::Add(hn::LoadU(d, sums + i), off), d, sums + i);
    hn::StoreU(hn::MulAdd(off, off, hn::LoadU(d, squares + i)), d, squares + i);
  });
}

void AddProducts(const float* dy, const float* x, const float* mean, size_t count, float* sums,
                 float* products) {
  each_vector(count, [&](auto d, size_t i) HWY_ATTR {
    const auto gradient = hn::LoadU(d, dy + i);
    const auto off = hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, mean + i));
    hn::StoreU(hn::Add(hn::LoadU(d, sums + i), gradient), d, sums + i);
    hn::StoreU(hn::MulAdd(gradient, off, hn::LoadU(d, products + i)), d, products + i);
  });
}

void ScaleLine(const float* x, const float* a, const float* b, size_t count, float* to) {
  each_vector(count, [&](auto d, size_t i) HWY_ATTR {
    const auto y = hn::MulAdd(hn::LoadU(d, x + i), hn::LoadU(d, a + i), hn::LoadU(d, b + i));
    hn::StoreU(y, d, to + i);
  });
}

void MixLines(const float* x, const float* a, const float* y, const float* b, const float* c,
              size_t count, float* to) {
  each_vector(count, [&](auto d, size_t i) HWY_ATTR {
    const auto of_y = hn::MulAdd(hn::LoadU(d, y + i), hn::LoadU(d, b + i), hn::LoadU(d, c + i));
    hn::StoreU(hn::MulAdd(hn::LoadU(d, x + i), hn::LoadU(d, a + i), of_y), d, to + i);
  });
}

}  // namespace nestling::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nestling {

HWY_EXPORT(AddMoments);
HWY_EXPORT(AddProducts);
HWY_EXPORT(ScaleLine);
HWY_EXPORT(MixLines);

void add_moments(const float* x, const float* origin, size_t count, float* sums, float* squares) {
  HWY_DYNAMIC_DISPATCH(AddMoments)(x, origin, count, sums, squares);
}

void add_products(const float* dy, const float* x, const float* mean, size_t count, float* sums,
                  float* products) {
  HWY_DYNAMIC_DISPATCH(AddProducts)(dy, x, mean, count, sums, products);
}

void scale_line(const float* x, const float* a, const float* b, size_t count, float* to) {
  HWY_DYNAMIC_DISPATCH(ScaleLine)(x, a, b, count, to);
}

void mix_lines(const float* x, const float* a, const float* y, const float* b, const float* c,
               size_t count, float* to) {
  HWY_DYNAMIC_DISPATCH(MixLines)(x, a, y, b, c, count, to);
}

}  // namespace nestling
#endif
