#include "runtime/conv_half.h"

#include <algorithm>
#include <array>
#include <hwy/base.h>

#if NESTLING_HALVES

#include <arm_neon.h>
#if !defined(__ARM_FEATURE_FP16_VECTOR_ARITHMETIC)
#include <sys/auxv.h>
#endif

// By function, as for all other code of the program the processor need not have them.
#if defined(__ARM_FEATURE_FP16_VECTOR_ARITHMETIC)
#define NESTLING_FP16
#elif defined(__clang__)
#define NESTLING_FP16 __attribute__((target("fullfp16")))
#else
#define NESTLING_FP16 __attribute__((target("arch=armv8.2-a+fp16")))
#endif

namespace nestling::runtime {
namespace {

static_assert(kPanel == 8, "a panel's row of weights is a vector");

size_t tiles_of(size_t pixels) { return (pixels + kHalfTile - 1) / kHalfTile; }

// The inputs of the taps of some pixels of y.
struct Inputs {
  const __fp16** at;  // [tap][pixel of a tile]
  size_t taps;

  void find(const ConvTask& task, const __fp16* halves, size_t first, size_t last) const {
    const NodeSpec& node = *task.node;
    const auto height = static_cast<int64_t>(task.x.height);
    const auto width = static_cast<int64_t>(task.x.width);
    for (size_t p = 0; p < kHalfTile; ++p) {
      const size_t pixel = std::min(first + p, last - 1);  // behind the last that one again
      const int64_t top =
          static_cast<int64_t>(pixel / task.y.width * node.stride[0]) - node.padding[0];
      const int64_t left =
          static_cast<int64_t>(pixel % task.y.width * node.stride[1]) - node.padding[1];
      const __fp16** to = at + p;
      for (uint32_t i = 0; i < node.kernel[0]; ++i) {
        const int64_t row = top + int64_t{i} * node.dilation[0];
        for (uint32_t j = 0; j < node.kernel[1]; ++j, to += kHalfTile) {
          const int64_t column = left + int64_t{j} * node.dilation[1];
          const bool inside = row >= 0 && row < height && column >= 0 && column < width;
          *to = inside ? halves + static_cast<size_t>(row * width + column) * task.x.channels
                       : reinterpret_cast<const __fp16*>(task.zeros);  // zero in either format
        }
      }
    }
  }
};

// sums[p] += weights * x[p][kLane]. As instructions, as g++ 12 has two of each of their functions;
// at once, so that x gets registers of which lanes can be taken, and sums are not taken in chains.
template <size_t kLane>
NESTLING_FP16 HWY_INLINE void multiply_lane(float16x8_t (&sums)[kHalfTile], float16x8_t weights,
                                            const float16x8_t (&x)[kHalfTile]) {
  asm volatile(
      "fmla %0.8h, %8.8h, %9.h[%17]\n\t"
      "fmla %1.8h, %8.8h, %10.h[%17]\n\t"
      "fmla %2.8h, %8.8h, %11.h[%17]\n\t"
      "fmla %3.8h, %8.8h, %12.h[%17]\n\t"
      "fmla %4.8h, %8.8h, %13.h[%17]\n\t"
      "fmla %5.8h, %8.8h, %14.h[%17]\n\t"
      "fmla %6.8h, %8.8h, %15.h[%17]\n\t"
      "fmla %7.8h, %8.8h, %16.h[%17]"
      : "+w"(sums[0]), "+w"(sums[1]), "+w"(sums[2]), "+w"(sums[3]), "+w"(sums[4]), "+w"(sums[5]),
        "+w"(sums[6]), "+w"(sums[7])
      : "w"(weights), "x"(x[0]), "x"(x[1]), "x"(x[2]), "x"(x[3]), "x"(x[4]), "x"(x[5]), "x"(x[6]),
        "x"(x[7]), "i"(kLane));
}

// Some panels of weights that meet the same inputs.
template <size_t kPanels>
struct Weights {
  const __fp16* at[kPanels];

  template <size_t kLane>
  NESTLING_FP16 HWY_INLINE void multiply(const float16x8_t (&x)[kHalfTile],
                                         float16x8_t (&sums)[kPanels][kHalfTile]) const {
    HWY_UNROLL(2)
    for (size_t g = 0; g < kPanels; ++g) {
      multiply_lane<kLane>(sums[g], vld1q_f16(at[g] + kLane * kPanel), x);
    }
  }
  NESTLING_FP16 HWY_INLINE void skip(size_t steps) {
    HWY_UNROLL(2)
    for (auto& w : at) w += steps * kPanel;
  }
};

// sums += x * weights, for at most kHalfSteps steps that lie one behind the other.
template <size_t kPanels>
NESTLING_FP16 HWY_INLINE void multiply(const __fp16* const* x, size_t begin,
                                       Weights<kPanels> weights, size_t count,
                                       float32x4_t (&sums)[kPanels][kHalfTile][2]) {
  float16x8_t sum[kPanels][kHalfTile];
  HWY_UNROLL(2)
  for (auto& panel : sum) {
    HWY_UNROLL(8)
    for (auto& s : panel) s = vdupq_n_f16(0);
  }
  float16x8_t value[kHalfTile];
  size_t c = 0;
  for (; c + 8 <= count; c += 8, weights.skip(8)) {
    HWY_UNROLL(8)
    for (size_t p = 0; p < kHalfTile; ++p) value[p] = vld1q_f16(x[p] + begin + c);
    weights.template multiply<0>(value, sum);
    weights.template multiply<1>(value, sum);
    weights.template multiply<2>(value, sum);
    weights.template multiply<3>(value, sum);
    weights.template multiply<4>(value, sum);
    weights.template multiply<5>(value, sum);
    weights.template multiply<6>(value, sum);
    weights.template multiply<7>(value, sum);
  }
  for (; c < count; ++c, weights.skip(1)) {
    HWY_UNROLL(8)
    for (size_t p = 0; p < kHalfTile; ++p) value[p] = vld1q_dup_f16(x[p] + begin + c);
    weights.template multiply<0>(value, sum);
  }
  HWY_UNROLL(2)
  for (size_t g = 0; g < kPanels; ++g) {
    HWY_UNROLL(8)
    for (size_t p = 0; p < kHalfTile; ++p) {
      float32x4_t(&to)[2] = sums[g][p];
      to[0] = vaddq_f32(to[0], vcvt_f32_f16(vget_low_f16(sum[g][p])));
      to[1] = vaddq_f32(to[1], vcvt_high_f32_f16(sum[g][p]));
    }
  }
}

// The sums of a panel for one pixel become its channels of y.
void finish(const ConvTask& task, size_t channel, size_t channels, const float32x4_t (&sums)[2],
            float* y) {
  float* to = y + channel;
  const float* addend = task.addend == nullptr ? nullptr : task.addend + (to - task.y.data);
  const bool full = channels == kPanel;
  float few[kPanel] = {};
  if (addend != nullptr && !full) std::copy_n(addend, channels, few);
  for (size_t i = 0; i < 2; ++i) {
    const size_t at = 4 * i;
    const float32x4_t shift = vld1q_f32(task.shift + channel + at);
    float32x4_t v = vfmaq_f32(shift, sums[i], vld1q_f32(task.scale + channel + at));
    if (addend != nullptr) v = vaddq_f32(v, vld1q_f32((full ? addend : few) + at));
    v = vminq_f32(vmaxq_f32(v, vdupq_n_f32(task.low)), vdupq_n_f32(task.high));
    vst1q_f32((full ? to : few) + at, v);
  }
  if (!full) std::copy_n(few, channels, to);
}

// Panels from the given one on, for a tile of which `pixels` are stored.
template <size_t kPanels>
NESTLING_FP16 void tile(const ConvTask& task, const Bundle& bundle, const Bundle::Panel* panels,
                        const Inputs& inputs, float* y, size_t pixels) {
  float32x4_t sums[kPanels][kHalfTile][2];
  for (auto& panel : sums) {
    for (auto& sum : panel) sum[0] = sum[1] = vdupq_n_f32(0);
  }
  for (size_t b = 0; b < panels[0].blocks.size(); ++b) {
    const Bundle::Panel::Block& block = panels[0].blocks[b];
    // Blocks lie within an interval.
    const size_t begin = bundle.inputs_from(block.first).begin;
    Weights<kPanels> weights;
    for (size_t g = 0; g < kPanels; ++g) {
      weights.at[g] = static_cast<const __fp16*>(panels[g].blocks[b].weights.data);
    }
    for (size_t tap = 0; tap < inputs.taps; ++tap) {
      for (size_t c = 0; c < block.length; c += kHalfSteps) {
        const size_t count = std::min(kHalfSteps, block.length - c);
        multiply(inputs.at + tap * kHalfTile, begin + c, weights, count, sums);
        weights.skip(count);
      }
    }
  }
  for (size_t g = 0; g < kPanels; ++g) {
    const size_t channel = bundle.y_offset + panels[g].first;
    for (size_t p = 0; p < pixels; ++p) {
      finish(task, channel, panels[g].channels, sums[g][p], y + p * task.y.stride);
    }
  }
}

}  // namespace

bool computes_halves() {
#if defined(__ARM_FEATURE_FP16_VECTOR_ARITHMETIC)
  return true;
#else
  constexpr unsigned long kVectorHalves = 1UL << 10;  // HWCAP_ASIMDHP
  return (getauxval(AT_HWCAP) & kVectorHalves) != 0;
#endif
}

bool half_pays(const ConvTask& task) {
  constexpr size_t kFewChannels = 8;
  return task.x.channels > kFewChannels && task.y.height * task.y.width > 1;
}

size_t half_floats(const ConvTask& task) {
  return align_floats((task.x.height * task.x.width * task.x.channels + 1) / 2);
}

void half_inputs(const ConvTask& task, size_t first, size_t last, uint16_t* halves) {
  const size_t channels = task.x.channels;
  for (size_t pixel = first; pixel < last; ++pixel) {
    const float* from = task.x.data + pixel * task.x.stride;
    __fp16* to = reinterpret_cast<__fp16*>(halves) + pixel * channels;
    size_t c = 0;
    for (; c + 8 <= channels; c += 8) {
      const float16x4_t four = vcvt_f16_f32(vld1q_f32(from + c));
      vst1q_f16(to + c, vcvt_high_f16_f32(four, vld1q_f32(from + c + 4)));
    }
    for (; c < channels; ++c) to[c] = static_cast<__fp16>(from[c]);
  }
}

size_t half_groups(const ConvTask& task) {
  size_t groups = 0;
  for (const Bundle& bundle : *task.bundles) groups += (bundle.panels.size() + 1) / 2;
  return groups;
}

size_t half_scratch(const ConvTask& task) {
  const size_t tiles = std::min(tiles_of(task.y.height * task.y.width), kConvTiles);
  return align_floats(tiles * kHalfTile * taps_of(*task.node) * sizeof(void*) / sizeof(float));
}

void conv_half(const ConvTask& task, const ConvPart& part, const uint16_t* halves, float* scratch) {
  const size_t count = tiles_of(part.last_pixel - part.first_pixel), taps = taps_of(*task.node);
  std::array<Inputs, kConvTiles> inputs;
  for (size_t t = 0; t < count; ++t) {
    inputs[t] = {reinterpret_cast<const __fp16**>(scratch) + t * taps * kHalfTile, taps};
    inputs[t].find(task, reinterpret_cast<const __fp16*>(halves), part.first_pixel + t * kHalfTile,
                   part.last_pixel);
  }
  size_t g = 0;
  for (const Bundle& bundle : *task.bundles) {
    for (size_t i = 0; i < bundle.panels.size(); i += 2, ++g) {
      if (g < part.first_group || g >= part.last_group) continue;
      const Bundle::Panel* panels = &bundle.panels[i];
      const bool two = i + 1 < bundle.panels.size();
      const bool together = two && panels[0].meets_same(panels[1]);
      for (size_t t = 0; t < count; ++t) {
        const size_t pixel = part.first_pixel + t * kHalfTile;
        const size_t pixels = std::min(kHalfTile, part.last_pixel - pixel);
        float* y = task.y.data + pixel * task.y.stride;
        if (together) {
          tile<2>(task, bundle, panels, inputs[t], y, pixels);
          continue;
        }
        tile<1>(task, bundle, panels, inputs[t], y, pixels);
        if (two) tile<1>(task, bundle, panels + 1, inputs[t], y, pixels);
      }
    }
  }
}

}  // namespace nestling::runtime

#endif
