// Convolutions as indirect matrix products: the reduction of an output runs over (block, tap, input
// channel) while the sums stay in registers, so a layer whose weights lie in several blocks costs
// what a dense one costs.
// Vectors of a length that the compiler does not know cannot stand in arrays; such processors run
// the NEON code, or the scalar one.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/conv.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <algorithm>
#include <cstring>
#include <hwy/highway.h>

#include "runtime/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace nestling::runtime {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr hn::CappedTag<float, kPanel> kTag;
constexpr size_t kLanes = HWY_MIN(HWY_LANES(float), kPanel);
constexpr size_t kVectors = kPanel / kLanes;  // of a panel
constexpr size_t kTile = 6;                   // pixels: 6 x 2 panels of sums fill 16 registers
using Vector = hn::Vec<decltype(kTag)>;

// Where each tap of each pixel of a tile begins: the pixel of x that it sees, or zeros. Pixels
// behind the last are the last one again.
struct Rows {
  std::vector<const float*> at;  // [tap][kTile]

  void find(const ConvTask& task, size_t first, size_t last) {
    const NodeSpec& node = *task.node;
    const auto height = static_cast<int64_t>(task.x.height);
    const auto width = static_cast<int64_t>(task.x.width);
    at.resize(size_t{node.kernel[0]} * node.kernel[1] * kTile);
    for (size_t p = 0; p < kTile; ++p) {
      const size_t pixel = std::min(first + p, last - 1);
      const auto top =
          static_cast<int64_t>(pixel / task.y.width * node.stride[0]) - node.padding[0];
      const auto left =
          static_cast<int64_t>(pixel % task.y.width * node.stride[1]) - node.padding[1];
      size_t tap = p;
      for (uint32_t i = 0; i < node.kernel[0]; ++i) {
        const int64_t row = top + int64_t{i} * node.dilation[0];
        for (uint32_t j = 0; j < node.kernel[1]; ++j, tap += kTile) {
          const int64_t column = left + int64_t{j} * node.dilation[1];
          const bool inside = row >= 0 && row < height && column >= 0 && column < width;
          at[tap] = inside
                        ? task.x.data + static_cast<size_t>(row * width + column) * task.x.channels
                        : task.zeros;
        }
      }
    }
  }
};

// Stores the sums of one panel of one pixel, scaled, shifted and clamped.
HWY_INLINE void finish(const Vector (&sums)[kVectors], const ConvTask& task, const ConvRange& range,
                       size_t panel, float* pixel) {
  const Vector low = hn::Set(kTag, task.node->low), high = hn::Set(kTag, task.node->high);
  const size_t from = panel * kPanel;
  const size_t count = std::min<size_t>(kPanel, range.channels - from);
  HWY_ALIGN float buffer[kPanel];
  float* to = count == kPanel ? pixel + range.y_offset + from : buffer;
  for (size_t v = 0; v < kVectors; ++v) {
    const Vector scale = hn::LoadU(kTag, range.scale + from + v * kLanes);
    const Vector shift = hn::LoadU(kTag, range.shift + from + v * kLanes);
    const Vector y = hn::MulAdd(sums[v], scale, shift);
    hn::StoreU(hn::Min(hn::Max(y, low), high), kTag, to + v * kLanes);
  }
  if (to == buffer) std::memcpy(pixel + range.y_offset + from, buffer, count * sizeof(float));
}

// kPanels panels from `panel` on, for a tile of pixels of which `pixels` are stored.
template <size_t kPanels>
HWY_INLINE void tile(const ConvTask& task, const ConvRange& range, size_t panel, const Rows& rows,
                     size_t taps, float* y, size_t pixels) {
  Vector sums[kTile][kPanels][kVectors];
  for (auto& pixel : sums) {
    for (auto& p : pixel) {
      for (auto& v : p) v = hn::Zero(kTag);
    }
  }
  for (const ConvPiece& piece : range.pieces) {
    const size_t panel_floats = taps * piece.length * kPanel;
    const float* w = piece.weights + panel * panel_floats;
    for (size_t tap = 0; tap < taps; ++tap) {
      const float* x[kTile];
      for (size_t p = 0; p < kTile; ++p) x[p] = rows.at[tap * kTile + p] + piece.x_offset;
      for (size_t c = 0; c < piece.length; ++c, w += kPanel) {
        Vector weight[kPanels][kVectors];
        for (size_t q = 0; q < kPanels; ++q) {
          for (size_t v = 0; v < kVectors; ++v) {
            weight[q][v] = hn::LoadU(kTag, w + q * panel_floats + v * kLanes);
          }
        }
        for (size_t p = 0; p < kTile; ++p) {
          const Vector value = hn::Set(kTag, x[p][c]);
          for (size_t q = 0; q < kPanels; ++q) {
            for (size_t v = 0; v < kVectors; ++v) {
              sums[p][q][v] = hn::MulAdd(value, weight[q][v], sums[p][q][v]);
            }
          }
        }
      }
    }
  }
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t q = 0; q < kPanels; ++q) {
      finish(sums[p][q], task, range, panel + q, y + p * task.y.channels);
    }
  }
}

void ConvImpl(const ConvTask& task, size_t first, size_t last) {
  const size_t taps = size_t{task.node->kernel[0]} * task.node->kernel[1];
  Rows rows;
  for (size_t pixel = first; pixel < last; pixel += kTile) {
    rows.find(task, pixel, last);
    const size_t pixels = std::min(kTile, last - pixel);
    float* y = task.y.data + pixel * task.y.channels;
    for (const ConvRange& range : *task.ranges) {
      size_t panel = 0;
      for (; panel + 2 <= range.panels; panel += 2)
        tile<2>(task, range, panel, rows, taps, y, pixels);
      if (panel < range.panels) tile<1>(task, range, panel, rows, taps, y, pixels);
    }
  }
}

void DepthwiseImpl(const ConvTask& task, size_t first, size_t last) {
  const size_t taps = size_t{task.node->kernel[0]} * task.node->kernel[1];
  Rows rows;
  for (size_t pixel = first; pixel < last; pixel += kTile) {
    rows.find(task, pixel, last);
    const size_t pixels = std::min(kTile, last - pixel);
    for (const ConvRange& range : *task.ranges) {
      for (size_t panel = 0; panel < range.panels; ++panel) {
        const float* w = range.pieces[0].weights + panel * taps * kPanel;
        for (size_t p = 0; p < pixels; ++p) {
          Vector sums[kVectors];
          for (auto& v : sums) v = hn::Zero(kTag);
          for (size_t tap = 0; tap < taps; ++tap) {
            const float* x = rows.at[tap * kTile + p] + range.y_offset + panel * kPanel;
            for (size_t v = 0; v < kVectors; ++v) {
              sums[v] = hn::MulAdd(hn::LoadU(kTag, x + v * kLanes),
                                   hn::LoadU(kTag, w + tap * kPanel + v * kLanes), sums[v]);
            }
          }
          finish(sums, task, range, panel, task.y.data + (pixel + p) * task.y.channels);
        }
      }
    }
  }
}

void AffineImpl(const ConvTask& task, size_t first, size_t last) {
  for (size_t pixel = first; pixel < last; ++pixel) {
    for (const ConvRange& range : *task.ranges) {
      for (size_t panel = 0; panel < range.panels; ++panel) {
        const float* x = task.x.data + pixel * task.x.channels + range.y_offset + panel * kPanel;
        Vector sums[kVectors];
        for (size_t v = 0; v < kVectors; ++v) sums[v] = hn::LoadU(kTag, x + v * kLanes);
        finish(sums, task, range, panel, task.y.data + pixel * task.y.channels);
      }
    }
  }
}

const char* SimdNameImpl() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace nestling::runtime
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nestling::runtime {

HWY_EXPORT(ConvImpl);
HWY_EXPORT(DepthwiseImpl);
HWY_EXPORT(AffineImpl);
HWY_EXPORT(SimdNameImpl);

void conv(const ConvTask& task, size_t first, size_t last) {
  HWY_DYNAMIC_DISPATCH(ConvImpl)(task, first, last);
}
void depthwise(const ConvTask& task, size_t first, size_t last) {
  HWY_DYNAMIC_DISPATCH(DepthwiseImpl)(task, first, last);
}
void affine(const ConvTask& task, size_t first, size_t last) {
  HWY_DYNAMIC_DISPATCH(AffineImpl)(task, first, last);
}
const char* simd_name() { return HWY_DYNAMIC_DISPATCH(SimdNameImpl)(); }
size_t conv_tile() { return 6; }

}  // namespace nestling::runtime
#endif
