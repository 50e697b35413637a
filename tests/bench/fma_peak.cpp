// The most multiply-accumulates that this processor does in a second on one core: what kernels are
// measured against.
#include "runtime/simd_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fma_peak.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace nestling {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Multiply-accumulates a second; the sums go to `sink`, so that they are computed.
double Peak(float* sink) {
  constexpr size_t kSums = 12, kSteps = size_t{1} << 25;  // sums that do not wait for each other
  const hn::CappedTag<float, 16> d;
  const auto factor = hn::Set(d, 0.999F), addend = hn::Set(d, 1e-6F);
  hn::Vec<decltype(d)> sums[kSums];
  for (auto& sum : sums) sum = hn::Set(d, 1.0F);
  const auto begin = std::chrono::steady_clock::now();
  for (size_t i = 0; i < kSteps; ++i) {
    for (auto& sum : sums) sum = hn::MulAdd(sum, factor, addend);
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  for (const auto& sum : sums) *sink += hn::GetLane(sum);
  return static_cast<double>(kSteps * kSums * hn::Lanes(d)) / seconds;
}

}  // namespace HWY_NAMESPACE
}  // namespace nestling
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nestling {
HWY_EXPORT(Peak);
}

int main() {
  float sink = 0;
  double best = 0;
  for (int i = 0; i < 5; ++i) best = std::max(best, HWY_DYNAMIC_DISPATCH(nestling::Peak)(&sink));
  std::printf("%.1f G multiply-accumulates a second (%g)\n", best / 1e9, static_cast<double>(sink));
  return 0;
}
#endif
