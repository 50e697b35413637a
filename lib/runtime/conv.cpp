// Convolutions as indirect matrix products: a tile of pixels meets a group of output channels,
// whose sums stay in registers while the reduction runs over taps and input channels.
#include "runtime/simd_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/conv.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <algorithm>
#include <hwy/cache_control.h>

#include "runtime/conv-inl.h"

HWY_BEFORE_NAMESPACE();
namespace nestling::runtime {
namespace HWY_NAMESPACE {

constexpr size_t kFewChannels = 8;

// Steps of a reduction whose weights stay in the first cache while tiles meet them.
constexpr size_t kDepth = 256;

// Whether all columns of a kernel's row are read at once, as one row of kernel[1] * channels
// numbers, which is how they and their weights lie: with few channels a tap alone is too short a
// loop.
bool whole_rows(const ConvTask& task) {
  const NodeSpec& node = *task.node;
  return task.x.channels <= kFewChannels && task.x.stride == task.x.channels &&
         node.kernel[1] > 1 && node.dilation[1] == 1 &&
         std::all_of(task.bundles->begin(), task.bundles->end(),
                     [&](const Bundle& bundle) { return bundle.depth == task.x.channels; });
}

// Whether the weights of a bundle are read where they are, or packed in every inference.
bool is_direct(const Bundle& bundle, bool rows) {
  return bundle.direct && (bundle.single() || !rows);
}
bool packs(const ConvTask& task, const Bundle& bundle) {
  return !is_direct(bundle, whole_rows(task)) && !bundle.ahead;
}

// A vector that is put together from two panels takes a shuffle, which keeps a unit from
// multiplying. So the first of some tiles stores what it has put together for the others, unless
// these are more steps than the second cache may have room for.
constexpr bool kJoins = kTwoPanels;
constexpr size_t kMostJoined = 2048;

// Whether all weights stay in the first cache. Then tiles come one after the other, and what they
// read and write is walked through once; otherwise groups of output channels do.
bool few_weights(const ConvTask& task) {
  constexpr size_t kFewWeights = 4096;
  if (task.bundles->size() != 1) return false;
  const Bundle& bundle = task.bundles->front();
  return !packs(task, bundle) &&
         bundle.channels * bundle.depth * taps_of(*task.node) <= kFewWeights;
}

// Whether a tile's inputs lie behind those of the tile before it, and are so few that they do not
// push weights out of the first cache, if they are fetched while that one is computed. Otherwise
// the first channels of all its pixels would be waited for at once. A step of fewer multiplications
// has no room for it.
constexpr bool kFetchesInputs = kTwoPanels;
bool follows(const ConvTask& task, size_t steps) {
  constexpr size_t kMostFetched = 256;
  const NodeSpec& node = *task.node;
  return kFetchesInputs && steps <= kMostFetched && taps_of(node) == 1 && node.stride[0] == 1 &&
         node.stride[1] == 1 && task.x.stride <= steps + kLine;
}

// The floats of what is kept at once: of all groups of output channels where each tile meets them
// all, otherwise of one.
size_t joined_floats(const ConvTask& task, const Bundle& bundle, size_t steps) {
  if (!kJoins || steps > kMostJoined || bundle.ahead || packs(task, bundle)) return 0;
  return (few_weights(task) ? (bundle.channels + kGroup - 1) / kGroup : 1) * kGroup * steps;
}

// The memory of a thread's tiles, in floats.
size_t ScratchImpl(const ConvTask& task) {
  const NodeSpec& node = *task.node;
  const size_t pixels = task.y.height * task.y.width;
  const size_t taps = taps_of(node);
  const size_t tiles = std::min((pixels + kTile - 1) / kTile, kConvTiles);
  constexpr size_t kPointer = sizeof(uintptr_t) / sizeof(float);
  const size_t copies = task.x.channels <= kFewChannels ? taps * task.x.channels : 0;
  size_t weights = 0;
  if (task.bundles != nullptr) {
    for (const Bundle& bundle : *task.bundles) {
      weights =
          std::max(weights, packs(task, bundle) ? (kDepth + tiles * kTile) * kGroup
                                                : joined_floats(task, bundle, taps * bundle.depth));
    }
  }
  return align_floats(tiles * kTile * (taps * kPointer + copies)) + weights;
}

// How a kernel is walked: `count` times over `columns` of its columns at once.
struct Taps {
  size_t count, columns;
};

// A part of the reduction of a group of output channels: steps first..last - 1 of `all`. Each step
// is an input channel of a tap.
struct Chunk {
  size_t first, last, all;
  const float* packed;  // [step][kGroup] weights; null: these are read where they are
  PanelRows rows;       // from step 0 on, if each panel has one block
  float* joined;        // where weights that are read where they are are kept, as packed; or null
  // The panel of the bundle, if there is one, whose weights for the same steps are fetched into the
  // cache meanwhile.
  size_t next_panel;
  bool fetches;  // a tile's inputs, while the one before it is computed
};

// Where the weights of Chunk::next_panel for a step lie; `count` becomes how many steps they are
// there for. Null: there is no such panel.
HWY_NOINLINE const float* weights_ahead(const Bundle& bundle, const Chunk& chunk, size_t step,
                                        size_t tap, size_t channel, size_t& count) {
  if (chunk.next_panel >= bundle.panels.size()) return nullptr;
  if (bundle.ahead) {  // the next group is behind this one, and as long as its panels
    return chunk.packed + (kGroup + chunk.next_panel % kGroupPanels * kPanel) * chunk.all +
           step * kPanel;
  }
  const Bundle::Panel& panel = bundle.panels[chunk.next_panel];
  if (bundle.single()) return panel.blocks[0].weights.floats() + step * kPanel;
  const Bundle::Panel::Block& block = panel.block_of(channel);
  const size_t before = channel - block.first;
  count = std::min(count, block.length - before);
  return block.weights.floats() + (tap * block.length + before) * kPanel;
}

// What is fetched into the cache meanwhile, a little with each step: behind all of it at once,
// loads would wait.
struct Ahead {
  const float* weights;  // of another panel for the same steps; or null
  const float* x;        // inputs of the next tile
  size_t lines;
  // Where the sums of pixels will be stored: storing them, layers of few input channels would wait
  // for the lines.
  const float* y;
  size_t stride, pixels;
};

// sums += x * weights, for `count` steps that lie one behind the other; weights(step, vector).
// Loops over sums are unrolled, here and below: compilers do so too late to keep them in registers.
template <size_t kPixels, size_t kCount, class Weights>
HWY_INLINE void multiply(const float* const (&x)[kPixels], size_t count, const Weights& weights,
                         const Ahead& ahead, hn::Vec<Lanes> (&sums)[kPixels][kCount]) {
  const Lanes d;
  size_t c = 0;
#if HWY_ARCH_ARM_A64
  // A step has no room for a branch; what is fetched twice costs nothing.
  for (size_t p = 0; p < ahead.pixels; ++p) hwy::Prefetch(ahead.y + p * ahead.stride);
  const float* fetched = ahead.weights != nullptr ? ahead.weights : x[0];
  for (; c + 4 <= count; c += 4) {
    hwy::Prefetch(fetched + c * kPanel);
    hwy::Prefetch(fetched + c * kPanel + kLine);
    multiply_four(x, c, weights, sums);
  }
#endif
  HWY_UNROLL(1)
  for (; c < count; ++c) {
#if !HWY_ARCH_ARM_A64
    if (ahead.weights != nullptr) hwy::Prefetch(ahead.weights + c * kPanel);
    if (kFetchesInputs && c < ahead.lines) hwy::Prefetch(ahead.x + c * kLine);
    if (c < ahead.pixels) {
      const float* y = ahead.y + c * ahead.stride;
      for (size_t v = 0; v < kCount * kLanes; v += kLine) hwy::Prefetch(y + v);
    }
#endif
    hn::Vec<Lanes> weight[kCount];
    HWY_UNROLL(4)
    for (size_t v = 0; v < kCount; ++v) weight[v] = weights(c, v);
    HWY_UNROLL(16)
    for (size_t p = 0; p < kPixels; ++p) {
      const hn::Vec<Lanes> value = hn::Set(d, x[p][c]);
      HWY_UNROLL(4)
      for (size_t v = 0; v < kCount; ++v) sums[p][v] = hn::MulAdd(value, weight[v], sums[p][v]);
    }
  }
}

// kCount vectors of channels, from channel `from` of the bundle on, for the first pixels of a tile,
// of which `pixels` are stored. `sums` has [pixel][kGroup] between the chunks.
template <size_t kPixels, size_t kCount>
HWY_INLINE void tile(const ConvTask& task, const Bundle& bundle, size_t from, const Rows& rows,
                     const Taps& taps, const Chunk& chunk, float* sums, float* y, size_t pixels) {
  const Lanes d;
  hn::Vec<Lanes> sum[kPixels][kCount];
  HWY_UNROLL(16)
  for (size_t p = 0; p < kPixels; ++p) {
    HWY_UNROLL(4)
    for (size_t v = 0; v < kCount; ++v) {
      sum[p][v] = chunk.first == 0 ? hn::Zero(d) : hn::Load(d, sums + p * kGroup + v * kLanes);
    }
  }
  const size_t depth = bundle.depth * taps.columns;
  const float* next = rows.at[0] + kPixels * task.x.stride;
  const size_t lines = chunk.fetches ? kPixels * task.x.stride / kLine : 0;
  Ahead ahead{nullptr, next, 0, y + bundle.y_offset + from, task.y.stride, pixels};
  for (size_t step = chunk.first; step < chunk.last;) {
    const size_t tap = step / depth, channel = step % depth;
    // A row of taps has all channels of x.
    const Bundle::Interval inputs =
        taps.columns > 1 ? Bundle::Interval{channel, depth - channel} : bundle.inputs_from(channel);
    size_t count = std::min(inputs.length, chunk.last - step);
    const float* x[kPixels];
    HWY_UNROLL(16)
    for (size_t p = 0; p < kPixels; ++p) x[p] = rows.at[tap * kTile + p] + inputs.begin;
    ahead.weights = weights_ahead(bundle, chunk, step, tap, channel, count);
    ahead.x = next + step * kLine;
    ahead.lines = std::max(lines, step) - step;
    if (chunk.packed != nullptr) {
      const float* w = chunk.packed + (step - chunk.first) * kGroup;
      multiply(
          x, count,
          [&](size_t c, size_t v) HWY_ATTR { return hn::Load(d, w + c * kGroup + v * kLanes); },
          ahead, sum);
    } else {
      const PanelRows w = bundle.single() ? chunk.rows.from(step * kPanel)
                                          : panel_rows(bundle, from, tap, channel, count);
      if (kJoins && chunk.joined != nullptr) {
        float* to = chunk.joined + step * kGroup;
        multiply(
            x, count,
            [&](size_t c, size_t v) HWY_ATTR {
              const hn::Vec<Lanes> weights = w(c * kPanel, v);
              hn::Store(weights, d, to + c * kGroup + v * kLanes);
              return weights;
            },
            ahead, sum);
      } else {
        multiply(
            x, count, [&](size_t c, size_t v) HWY_ATTR { return w(c * kPanel, v); }, ahead, sum);
      }
    }
    step += count;
    ahead.pixels = 0;
  }
  if (chunk.last < chunk.all) {
    HWY_UNROLL(16)
    for (size_t p = 0; p < kPixels; ++p) {
      HWY_UNROLL(4)
      for (size_t v = 0; v < kCount; ++v) hn::Store(sum[p][v], d, sums + p * kGroup + v * kLanes);
    }
    return;
  }
  const size_t end = bundle.y_offset + bundle.channels;
  HWY_UNROLL(4)
  for (size_t v = 0; v < kCount; ++v) {
    const size_t channel = bundle.y_offset + from + v * kLanes;
    if (channel >= end) break;
    const Finish<Lanes> finish(d, task, channel, end);
    finish.template all<kPixels>(
        d, [&](size_t p) HWY_ATTR { return sum[p][v]; }, y, task.y.stride, pixels);
  }
}

// One group of output channels for the first pixels of a tile.
template <size_t kPixels>
void group(const ConvTask& task, const Bundle& bundle, size_t from, const Rows& rows,
           const Taps& taps, const Chunk& chunk, float* sums, float* y, size_t pixels) {
  const size_t vectors = (bundle.channels - from + kLanes - 1) / kLanes;
  if (vectors > kFew) {
    tile<kPixels, kVectors>(task, bundle, from, rows, taps, chunk, sums, y, pixels);
  } else {
    tile<kPixels, kFew>(task, bundle, from, rows, taps, chunk, sums, y, pixels);
  }
}

// An output of one pixel, such as a fully connected layer's: every weight is used once, as it lies.
bool is_one_pixel(const ConvTask& task) { return task.y.height * task.y.width == 1; }

using PanelLanes = hn::CappedTag<float, kPanel>;
constexpr size_t kPanelLanes = HWY_MIN(kLanes, kPanel);

constexpr size_t kPerPanel = kPanel / kPanelLanes;  // vectors

// Panels that are computed together, so that inputs, which may be more than the first cache holds,
// are read once for all of them.
constexpr size_t kPanelsTogether = kPerPanel == 1 ? 4 : 2;

// The sums of panels that meet the same inputs, whose weights are of type T.
template <typename T, size_t kCount>
HWY_INLINE void panel_sums(const Bundle& bundle, const Bundle::Panel* panels, const Rows& rows,
                           size_t taps, hn::Vec<PanelLanes> (&result)[kCount][kPerPanel]) {
  constexpr size_t kSums = 2;  // as one would wait for itself
  const PanelLanes d;
  hn::Vec<PanelLanes> sums[kSums][kCount][kPerPanel];
  HWY_UNROLL(2)
  for (auto& some : sums) {
    HWY_UNROLL(4)
    for (auto& panel : some) {
      HWY_UNROLL(8)
      for (auto& sum : panel) sum = hn::Zero(d);
    }
  }
  for (size_t b = 0; b < panels[0].blocks.size(); ++b) {
    const Bundle::Panel::Block& block = panels[0].blocks[b];
    // Blocks lie within an interval: what joined their inputs was that these follow each other.
    const size_t begin = bundle.inputs_from(block.first).begin;
    const T* w[kCount];
    for (size_t g = 0; g < kCount; ++g) {
      w[g] = static_cast<const T*>(panels[g].blocks[b].weights.data);
    }
    const auto multiply = [&](float x, size_t step, size_t i) HWY_ATTR {
      const hn::Vec<PanelLanes> value = hn::Set(d, x);
      HWY_UNROLL(4)
      for (size_t g = 0; g < kCount; ++g) {
        HWY_UNROLL(8)
        for (size_t v = 0; v < kPerPanel; ++v) {
          sums[i][g][v] = hn::MulAdd(value, load_weights(d, w[g] + step * kPanel + v * kPanelLanes),
                                     sums[i][g][v]);
        }
      }
    };
    size_t step = 0;
    for (size_t tap = 0; tap < taps; ++tap) {
      const float* x = rows.at[tap * kTile] + begin;
      size_t c = 0;
      for (; c + kSums <= block.length; c += kSums, step += kSums) {
        HWY_UNROLL(2)
        for (size_t i = 0; i < kSums; ++i) multiply(x[c + i], step + i, i);
      }
      for (; c < block.length; ++c, ++step) multiply(x[c], step, 0);
    }
  }
  for (size_t g = 0; g < kCount; ++g) {
    for (size_t v = 0; v < kPerPanel; ++v) result[g][v] = hn::Add(sums[0][g][v], sums[1][g][v]);
  }
}

// kCount panels of a bundle, which meet the same inputs.
template <size_t kCount>
void one_pixel(const ConvTask& task, const Bundle& bundle, const Bundle::Panel* panels,
               const Rows& rows, size_t taps) {
  const PanelLanes d;
  const bool half =
      !panels[0].blocks.empty() && panels[0].blocks[0].weights.type == WeightType::float16;
  hn::Vec<PanelLanes> sums[kCount][kPerPanel];
  if (half) {
    panel_sums<uint16_t>(bundle, panels, rows, taps, sums);
  } else {
    panel_sums<float>(bundle, panels, rows, taps, sums);
  }
  for (size_t g = 0; g < kCount; ++g) {
    const size_t first = bundle.y_offset + panels[g].first, end = first + panels[g].channels;
    for (size_t v = 0; first + v * kPanelLanes < end; ++v) {
      Finish<PanelLanes>(d, task, first + v * kPanelLanes, end)(d, sums[g][v], task.y.data);
    }
  }
}

void one_pixel(const ConvTask& task, const ConvPart& part, float* scratch) {
  const size_t taps = taps_of(*task.node);
  const Rows rows{reinterpret_cast<const float**>(scratch), nullptr};
  rows.find(task, 0, 1);
  size_t g = 0;  // of the bundle's first panel
  for (const Bundle& bundle : *task.bundles) {
    const size_t count = bundle.panels.size();
    size_t i = std::max(part.first_group, g) - g;
    const size_t last = std::min(part.last_group, g + count) - std::min(part.last_group, g);
    while (i < last) {
      const Bundle::Panel* panels = &bundle.panels[i];
      const bool together =
          i + kPanelsTogether <= last &&
          std::all_of(panels + 1, panels + kPanelsTogether,
                      [&](const Bundle::Panel& panel) { return panel.meets_same(*panels); });
      if (together) {
        one_pixel<kPanelsTogether>(task, bundle, panels, rows, taps);
      } else {
        one_pixel<1>(task, bundle, panels, rows, taps);
      }
      i += together ? kPanelsTogether : 1;
    }
    g += count;
  }
}

size_t GroupsImpl(const ConvTask& task) {
  size_t groups = 0;
  for (const Bundle& bundle : *task.bundles) {
    groups += is_one_pixel(task) ? bundle.panels.size() : (bundle.channels + kGroup - 1) / kGroup;
  }
  return groups;
}

// Some tiles of a part: its groups of output channels, one after the other. `packed` is for
// weights, and for sums if a bundle packs().
void run_tiles(const ConvTask& task, const ConvPart& part, const Taps& taps, bool rows,
               const Rows* tiles, size_t first_tile, size_t last_tile, bool few, float* packed) {
  float *weights = packed, *sums = packed + kDepth * kGroup;
  size_t g = 0;
  for (const Bundle& bundle : *task.bundles) {
    const size_t all = taps.count * taps.columns * bundle.depth;
    for (size_t from = 0; from < bundle.channels; from += kGroup, ++g) {
      if (g < part.first_group || g >= part.last_group) continue;
      const bool direct = is_direct(bundle, rows);
      const bool whole = direct || bundle.ahead;
      // What the part's first tile has put together, the others read.
      const bool joins = kJoins && direct && all <= kMostJoined && (few || last_tile > 1);
      const bool joined = joins && first_tile > 0;
      size_t any = SIZE_MAX;
      const PanelRows panels =
          direct && !joined && bundle.single() ? panel_rows(bundle, from, 0, 0, any) : PanelRows{};
      // What weights a chunk has packed serve all tiles of the part.
      const size_t most = whole ? std::max<size_t>(all, 1) : kDepth;
      for (size_t step = 0; step == 0 || step < all; step += most) {
        Chunk chunk{step,     std::min(step + most, all),
                    all,      nullptr,
                    panels,   nullptr,
                    SIZE_MAX, g == part.first_group && follows(task, all)};
        if (bundle.ahead) {
          chunk.packed = bundle.packed + from * all;
        } else if (joins) {
          chunk.joined = weights + (few ? from * all : 0);
          if (joined) chunk.packed = chunk.joined;
        } else if (!direct) {
          pack_weights(bundle, from, step, chunk.last - step, weights);
          chunk.packed = weights;
        }
        for (size_t t = first_tile; t < last_tile; ++t) {
          const size_t pixel = part.first_pixel + t * kTile;
          const size_t pixels = std::min(kTile, part.last_pixel - pixel);
          float* y = task.y.data + pixel * task.y.stride;
          float* before = sums + t * kTile * kGroup;
          // The first tiles fetch the next group's weights, each those of a panel: otherwise its
          // first tile would wait for them.
          chunk.next_panel = whole && t < kGroupPanels ? (from + kGroup) / kPanel + t : SIZE_MAX;
          if (pixels > kTile / 2) {
            group<kTile>(task, bundle, from, tiles[t], taps, chunk, before, y, pixels);
          } else {
            group<kTile / 2>(task, bundle, from, tiles[t], taps, chunk, before, y, pixels);
          }
          if (chunk.joined != nullptr) chunk.packed = chunk.joined;
        }
      }
    }
  }
}

void ConvImpl(const ConvTask& task, const ConvPart& part, float* scratch) {
  if (is_one_pixel(task)) return one_pixel(task, part, scratch);
  const NodeSpec& node = *task.node;
  const size_t all_taps = taps_of(node);
  const bool rows = whole_rows(task);
  const Taps taps = rows ? Taps{node.kernel[0], node.kernel[1]} : Taps{all_taps, 1};
  const size_t count = (part.last_pixel - part.first_pixel + kTile - 1) / kTile;
  const auto** pointers = reinterpret_cast<const float**>(scratch);
  float* copies = reinterpret_cast<float*>(pointers + count * taps.count * kTile);
  const size_t copied = rows ? count * kTile * all_taps * task.x.channels : 0;
  float* weights = scratch + align_floats(static_cast<size_t>(copies + copied - scratch));
  Rows tiles[kConvTiles];
  for (size_t t = 0; t < count; ++t) {
    tiles[t] = {pointers + t * taps.count * kTile,
                rows ? copies + t * kTile * all_taps * task.x.channels : nullptr};
    tiles[t].find(task, part.first_pixel + t * kTile, part.last_pixel);
  }
  const bool few = few_weights(task);
  const size_t together = few ? 1 : count;
  for (size_t t = 0; t < count; t += together) {
    run_tiles(task, part, taps, rows, tiles, t, std::min(t + together, count), few, weights);
  }
}

size_t PackedFloatsImpl(const Bundle& bundle, size_t taps) {
  return (bundle.channels + kGroup - 1) / kGroup * kGroup * taps * bundle.depth;
}

void PackBundleImpl(const Bundle& bundle, size_t taps, float* to) {
  const size_t steps = taps * bundle.depth;
  for (size_t from = 0; from < bundle.channels; from += kGroup) {
    pack_weights(bundle, from, 0, steps, to + from * steps);
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
HWY_EXPORT(PackedFloatsImpl);
HWY_EXPORT(PackBundleImpl);
HWY_EXPORT(TileImpl);
HWY_EXPORT(SimdNameImpl);

size_t conv_scratch(const ConvTask& task) { return HWY_DYNAMIC_DISPATCH(ScratchImpl)(task); }
void conv(const ConvTask& task, const ConvPart& part, float* scratch) {
  HWY_DYNAMIC_DISPATCH(ConvImpl)(task, part, scratch);
}
void pack_bundle(const Bundle& bundle, size_t taps, float* to) {
  HWY_DYNAMIC_DISPATCH(PackBundleImpl)(bundle, taps, to);
}
size_t packed_floats(const Bundle& bundle, size_t taps) {
  return HWY_DYNAMIC_DISPATCH(PackedFloatsImpl)(bundle, taps);
}
size_t conv_groups(const ConvTask& task) { return HWY_DYNAMIC_DISPATCH(GroupsImpl)(task); }
const char* simd_name() { return HWY_DYNAMIC_DISPATCH(SimdNameImpl)(); }
size_t conv_tile() { return HWY_DYNAMIC_DISPATCH(TileImpl)(); }

}  // namespace nestling::runtime
#endif
