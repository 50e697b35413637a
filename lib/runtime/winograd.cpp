#include "runtime/winograd.h"

#include "runtime/simd_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/winograd.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <algorithm>
#include <hwy/cache_control.h>

#include "runtime/conv-inl.h"

#ifndef NESTLING_RUNTIME_WINOGRAD_ONCE
#define NESTLING_RUNTIME_WINOGRAD_ONCE
namespace nestling::runtime {

constexpr size_t kOutputs = 4;                 // of a tile, in each direction
constexpr size_t kInputs = 6;                  // that these see
constexpr size_t kPlaces = kInputs * kInputs;  // where transformed inputs meet transformed weights
constexpr size_t kTaps = 9;
constexpr size_t kChunk = 64;                    // input channels that meet at a time
constexpr size_t kMostTiles = 60;                // of a block
constexpr size_t kWidest = size_t{2} * kPanel;   // vectors
constexpr size_t kMostFloats = size_t{1} << 21;  // of scratch

// Where a part's scratch holds what: transformed inputs, weights before and after their transform,
// sums. A line lies between places, so that these do not meet in a set of the cache.
struct WinogradScratch {
  size_t packed, weights, sums, floats;

  WinogradScratch(size_t channels, size_t tiles, size_t group) {
    const size_t chunks = (channels + kChunk - 1) / kChunk, most = std::min(channels, kChunk);
    packed = align_floats(kPlaces * (tiles * (channels + kWidest) + chunks * kLine));
    weights = packed + align_floats(kTaps * (most * group + kLine));
    sums = weights + align_floats(kPlaces * (most * group + kLine));
    floats = sums + kPlaces * (tiles * group + kLine);
  }
};

}  // namespace nestling::runtime
#endif

HWY_BEFORE_NAMESPACE();
namespace nestling::runtime {
namespace HWY_NAMESPACE {

static_assert(kLanes <= kWidest);

// Tiles whose sums are in registers; blocks are multiples of kWinogradTiles.
constexpr size_t kTogether = kLanes == kMostLanes ? 12 : 6;
static_assert(kWinogradTiles % kTogether == 0);

// The transforms are the matrices of Toom and Cook's algorithm for the points 0, a, -a, b, -b and
// infinity, a = sqrt(1/2), b = sqrt(2): with them sums stay closer to their terms, and rounding
// errors smaller, than with 1 and 2.
constexpr float kA = 0.70710678118654752F, kB = 1.41421356237309505F;

// B^T x, in one direction.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void input_transform(D d, const V (&x)[kInputs], V (&y)[kInputs]) {
  const V a = hn::Set(d, kA), b = hn::Set(d, kB), two = hn::Set(d, 2.0F), half = hn::Set(d, 0.5F),
          c = hn::Set(d, 2.5F);
  y[0] = hn::NegMulAdd(c, x[2], hn::Add(x[0], x[4]));
  y[5] = hn::NegMulAdd(c, x[3], hn::Add(x[1], x[5]));
  const V near = hn::NegMulAdd(two, x[2], x[4]), odd_near = hn::NegMulAdd(two, x[1], x[3]);
  y[1] = hn::MulAdd(a, odd_near, near);
  y[2] = hn::NegMulAdd(a, odd_near, near);
  const V far = hn::NegMulAdd(half, x[2], x[4]), odd_far = hn::NegMulAdd(half, x[1], x[3]);
  y[3] = hn::MulAdd(b, odd_far, far);
  y[4] = hn::NegMulAdd(b, odd_far, far);
}

// G w.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void weight_transform(D d, const V& w0, const V& w1, const V& w2, V (&y)[kInputs]) {
  const V near = hn::MulAdd(hn::Set(d, -1.0F / 3), w2, hn::Mul(hn::Set(d, -2.0F / 3), w0));
  const V near_odd = hn::Mul(hn::Set(d, -2.0F / 3 * kA), w1);
  const V far = hn::MulAdd(hn::Set(d, 1.0F / 3), w2, hn::Mul(hn::Set(d, 1.0F / 6), w0));
  const V far_odd = hn::Mul(hn::Set(d, kB / 6), w1);
  y[0] = w0;
  y[1] = hn::Add(near, near_odd);
  y[2] = hn::Sub(near, near_odd);
  y[3] = hn::Add(far, far_odd);
  y[4] = hn::Sub(far, far_odd);
  y[5] = w2;
}

// A^T m.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void output_transform(D d, const V (&m)[kInputs], V (&y)[kOutputs]) {
  const V near = hn::Add(m[1], m[2]), far = hn::Add(m[3], m[4]);
  const V near_odd = hn::Sub(m[1], m[2]), far_odd = hn::Sub(m[3], m[4]);
  y[0] = hn::Add(hn::Add(m[0], near), far);
  y[1] = hn::MulAdd(hn::Set(d, kA), near_odd, hn::Mul(hn::Set(d, kB), far_odd));
  y[2] = hn::MulAdd(hn::Set(d, kA * kA), near, hn::Mul(hn::Set(d, kB * kB), far));
  y[3] = hn::MulAdd(hn::Set(d, kA * kA * kA), near_odd,
                    hn::MulAdd(hn::Set(d, kB * kB * kB), far_odd, m[5]));
}

// Transformed inputs of a block: [chunk of channels][place][tile][channel], the channels of a chunk
// rounded up to vectors.
struct Inputs {
  float* data;
  size_t tiles, channels;

  static size_t width(size_t channels, size_t chunk) {
    const size_t count = std::min(kChunk, channels - chunk * kChunk);
    return (count + kLanes - 1) / kLanes * kLanes;
  }
  float* chunk(size_t index) const { return data + index * kPlaces * (kChunk * tiles + kLine); }
};

// Where in y a tile begins.
struct Corner {
  size_t top, left;

  Corner(const ConvTask& task, size_t tile) {
    const size_t across = (task.y.width + kOutputs - 1) / kOutputs;
    top = tile / across * kOutputs;
    left = tile % across * kOutputs;
  }
};

// The pixels that a tile sees.
struct Window {
  const float* at[kPlaces];

  Window(const ConvTask& task, size_t tile) {
    const Corner corner(task, tile);
    const auto top = static_cast<int64_t>(corner.top) - task.node->padding[0];
    const auto left = static_cast<int64_t>(corner.left) - task.node->padding[1];
    for (size_t i = 0; i < kPlaces; ++i) {
      at[i] = pixel_or_zeros(task, top + static_cast<int64_t>(i / kInputs),
                             left + static_cast<int64_t>(i % kInputs));
    }
  }
};

void InputsImpl(const ConvTask& task, const WinogradBlock& block, size_t first, size_t last,
                float* shared) {
  const Lanes d;
  const Inputs v{shared, block.last - block.first, task.x.channels};
  Window next(task, first);
  for (size_t tile = first; tile < last; ++tile) {
    const size_t t = tile - block.first;
    const Window from = next;
    next = Window(task, tile + 1);
    for (size_t k = 0; k * kChunk < v.channels; ++k) {
      const size_t width = Inputs::width(v.channels, k);
      for (size_t c = 0; c < width; c += kLanes) {
        hn::Vec<Lanes> rows[kInputs][kInputs];  // [column of the tile][row]
        for (size_t j = 0; j < kInputs; ++j) {
          hn::Vec<Lanes> x[kInputs];
          HWY_UNROLL(16)
          for (size_t i = 0; i < kInputs; ++i) {
            const size_t place = i * kInputs + j;
            x[i] = hn::LoadU(d, from.at[place] + k * kChunk + c);
            // Two columns are those that this tile ends with.
            if (j >= kInputs - kOutputs) hwy::Prefetch(next.at[place] + k * kChunk + c);
          }
          input_transform(d, x, rows[j]);
        }
        float* to = v.chunk(k) + t * width + c;
        for (size_t i = 0; i < kInputs; ++i) {
          hn::Vec<Lanes> x[kInputs], y[kInputs];
          HWY_UNROLL(16)
          for (size_t j = 0; j < kInputs; ++j) x[j] = rows[j][i];
          input_transform(d, x, y);
          HWY_UNROLL(16)
          for (size_t j = 0; j < kInputs; ++j) {
            hn::StoreU(y[j], d, to + (i * kInputs + j) * (v.tiles * width + kLine));
          }
        }
      }
    }
  }
}

// Whether weights that could be read where they are had better be packed first: the taps of two
// panels are too many for the set of the cache in which they meet.
constexpr bool kPackPanels = kTwoPanels;

// to[tap][channel][kGroup], the taps `apart`, of `count` input channels from `first` on: of all
// panels of the group of output channels from `from` on at once.
void pack_panels(const Bundle& bundle, size_t from, size_t first, size_t count, size_t apart,
                 float* to) {
  for (size_t done = 0, some = count; done < count; done += some, some = count - done) {
    for (size_t tap = 0; tap < kTaps; ++tap) {
      const PanelRows rows = panel_rows(bundle, from, tap, first + done, some);
      for (size_t c = 0; c < some; ++c) {
        for (size_t v = 0; v < kVectors; ++v) {
          hn::Store(rows(c * kPanel, v), Lanes(),
                    to + tap * apart + (done + c) * kGroup + v * kLanes);
        }
      }
    }
  }
}

// Weights of `channels` input channels transformed: u[place][channel][kGroup], of the first
// `vectors` of a group; weights(tap, channel, vector).
template <class W>
HWY_INLINE void transform_weights(size_t channels, size_t vectors, const W& weights, float* u) {
  using V = hn::Vec<Lanes>;
  const Lanes d;
  for (size_t v = 0; v < vectors; ++v) {
    for (size_t c = 0; c < channels; ++c) {
      V columns[3][kInputs];
      HWY_UNROLL(16)
      for (size_t j = 0; j < 3; ++j) {
        weight_transform(d, weights(j, c, v), weights(3 + j, c, v), weights(6 + j, c, v),
                         columns[j]);
      }
      for (size_t i = 0; i < kInputs; ++i) {
        V y[kInputs];
        weight_transform(d, columns[0][i], columns[1][i], columns[2][i], y);
        HWY_UNROLL(16)
        for (size_t j = 0; j < kInputs; ++j) {
          hn::Store(y[j], d,
                    u + (i * kInputs + j) * (channels * kGroup + kLine) + c * kGroup + v * kLanes);
        }
      }
    }
  }
}

// The same for `count` input channels of a bundle from `done` on, or as many of these as lie
// together, which is returned; `packed` is scratch.
size_t fetch_weights(const Bundle& bundle, size_t from, size_t done, size_t count, size_t vectors,
                     float* packed, float* u) {
  const float* w = packed;
  size_t apart = count * kGroup + kLine;  // from tap to tap
  if (bundle.ahead) {
    w = bundle.packed + from * kTaps * bundle.depth + done * kGroup;
    apart = bundle.depth * kGroup;
  } else if (bundle.direct && kPackPanels) {
    pack_panels(bundle, from, done, count, apart, packed);
  } else if (bundle.direct) {
    PanelRows rows[kTaps];
    for (size_t tap = 0; tap < kTaps; ++tap) rows[tap] = panel_rows(bundle, from, tap, done, count);
    transform_weights(
        count, vectors,
        [&](size_t tap, size_t c, size_t v) HWY_ATTR { return rows[tap](c * kPanel, v); }, u);
    return count;
  } else {
    for (size_t tap = 0; tap < kTaps; ++tap) {
      pack_weights(bundle, from, tap * bundle.depth + done, count, packed + tap * apart);
    }
  }
  transform_weights(
      count, vectors,
      [&](size_t tap, size_t c, size_t v)
          HWY_ATTR { return hn::Load(Lanes(), w + tap * apart + c * kGroup + v * kLanes); },
      u);
  return count;
}

// sums[tile][kGroup] of one place, of the first kCount vectors of the group: of kPixels tiles from
// x on, which lie `width` apart.
template <size_t kPixels, size_t kCount>
HWY_INLINE void multiply(const float* x, size_t width, const float* u, size_t channels, bool first,
                         float* sums) {
  const Lanes d;
  hn::Vec<Lanes> sum[kPixels][kCount];
  HWY_UNROLL(16)
  for (size_t p = 0; p < kPixels; ++p) {
    HWY_UNROLL(16)
    for (size_t v = 0; v < kCount; ++v) {
      sum[p][v] = first ? hn::Zero(d) : hn::Load(d, sums + p * kGroup + v * kLanes);
    }
  }
  size_t c = 0;
#if HWY_ARCH_ARM_A64
  const float* tiles[kPixels];
  HWY_UNROLL(16)
  for (size_t p = 0; p < kPixels; ++p) tiles[p] = x + p * width;
  for (; c + 4 <= channels; c += 4) {
    multiply_four(
        tiles, c,
        [&](size_t i, size_t v) HWY_ATTR { return hn::Load(d, u + i * kGroup + v * kLanes); }, sum);
  }
#endif
  HWY_UNROLL(1)
  for (; c < channels; ++c) {
    hn::Vec<Lanes> weight[kCount];
    HWY_UNROLL(16)
    for (size_t v = 0; v < kCount; ++v) weight[v] = hn::Load(d, u + c * kGroup + v * kLanes);
    HWY_UNROLL(16)
    for (size_t p = 0; p < kPixels; ++p) {
      const hn::Vec<Lanes> value = hn::Set(d, x[p * width + c]);
      HWY_UNROLL(16)
      for (size_t v = 0; v < kCount; ++v) sum[p][v] = hn::MulAdd(value, weight[v], sum[p][v]);
    }
  }
  HWY_UNROLL(16)
  for (size_t p = 0; p < kPixels; ++p) {
    HWY_UNROLL(16)
    for (size_t v = 0; v < kCount; ++v) {
      hn::Store(sum[p][v], d, sums + p * kGroup + v * kLanes);
    }
  }
}

// A block's tiles, as far as they are in y.
struct Tile {
  float* y;
  size_t rows, columns;
};

// What is fetched into the cache while sums are computed, a little with each place: storing them, a
// layer would wait for the lines of y.
struct LinesAhead {
  const Tile* tiles;           // or null: nothing
  size_t channel, row, pixel;  // floats from one row or pixel of y to the next

  // A place's share: a line of one pixel of each tile. Inlined, as GCC leaves out calls of a
  // function that only fetches.
  HWY_INLINE void fetch(size_t place, size_t first, size_t last) const {
    constexpr size_t kLines = HWY_MAX(1, kGroup / kLine), kEdge = kLines * kOutputs;
    if (tiles == nullptr || place >= kEdge * kOutputs) return;
    const size_t at =
        channel + place / kEdge * row + place % kEdge / kLines * pixel + place % kLines * kLine;
    for (size_t t = first; t < last; ++t) hwy::Prefetch(tiles[t].y + at);
  }
};

// All places and tiles: sums[place][tile][kGroup] += x[place][tile][width]
// u[place][channel][kGroup].
template <size_t kCount>
void multiply_places(const float* x, size_t width, size_t tiles, const float* u, size_t channels,
                     bool first, const LinesAhead& ahead, float* sums) {
  for (size_t i = 0; i < kPlaces; ++i) {
    for (size_t t = 0; t < tiles;) {
      ahead.fetch(i, t, std::min(t + kTogether, tiles));
      const float* from = x + i * (tiles * width + kLine) + t * width;
      const float* weights = u + i * (channels * kGroup + kLine);
      float* to = sums + i * (tiles * kGroup + kLine) + t * kGroup;
      const size_t left = tiles - t;
      if (left >= kTogether) {
        multiply<kTogether, kCount>(from, width, weights, channels, first, to);
        t += kTogether;
      } else if (left >= kTogether / 2) {
        multiply<kTogether / 2, kCount>(from, width, weights, channels, first, to);
        t += kTogether / 2;
      } else if (left >= 4) {
        multiply<4, kCount>(from, width, weights, channels, first, to);
        t += 4;
      } else if (left >= 2) {
        multiply<2, kCount>(from, width, weights, channels, first, to);
        t += 2;
      } else {
        multiply<1, kCount>(from, width, weights, channels, first, to);
        t += 1;
      }
    }
  }
}

// From the sums of one vector of channels of y, of those from `channel` to `end` - 1, to pixels.
HWY_INLINE void store_outputs(const ConvTask& task, const Tile* tiles, size_t count, size_t channel,
                              size_t end, const float* sums) {
  using V = hn::Vec<Lanes>;
  const Lanes d;
  const Finish<Lanes> finish(d, task, channel, end);
  for (size_t t = 0; t < count; ++t) {
    V columns[kInputs][kOutputs];
    for (size_t j = 0; j < kInputs; ++j) {
      V m[kInputs];
      HWY_UNROLL(16)
      for (size_t i = 0; i < kInputs; ++i) {
        m[i] = hn::Load(d, sums + (i * kInputs + j) * (count * kGroup + kLine) + t * kGroup);
      }
      output_transform(d, m, columns[j]);
    }
    for (size_t i = 0; i < tiles[t].rows; ++i) {
      V m[kInputs], y[kOutputs];
      HWY_UNROLL(16)
      for (size_t j = 0; j < kInputs; ++j) m[j] = columns[j][i];
      output_transform(d, m, y);
      float* pixel = tiles[t].y + i * task.y.width * task.y.stride;
      for (size_t j = 0; j < tiles[t].columns; ++j) finish(d, y[j], pixel + j * task.y.stride);
    }
  }
}

// A group of output channels, from channel `from` of the bundle on.
void run_group(const ConvTask& task, const Tile* tiles, const Bundle& bundle, size_t from,
               const Inputs& x, float* scratch) {
  const WinogradScratch layout(x.channels, x.tiles, kGroup);
  float* packed = scratch + layout.packed;
  float* weights = scratch + layout.weights;
  float* sums = scratch + layout.sums;
  const size_t channels = std::min(kGroup, bundle.channels - from);
  const size_t vectors = (channels + kLanes - 1) / kLanes;
  bool first = true;
  for (size_t done = 0; done < bundle.depth;) {
    // Channels of one interval and one chunk of the inputs.
    const Bundle::Interval inputs = bundle.inputs_from(done);
    const size_t place = inputs.begin, chunk = place / kChunk;
    const size_t count =
        fetch_weights(bundle, from, done, std::min(inputs.length, (chunk + 1) * kChunk - place),
                      vectors, packed, weights);
    const float* values = x.chunk(chunk) + place % kChunk;
    const size_t width = Inputs::width(x.channels, chunk);
    done += count;
    const LinesAhead ahead{done == bundle.depth ? tiles : nullptr, bundle.y_offset + from,
                           task.y.width * task.y.stride, task.y.stride};
    if (vectors > kFew) {
      multiply_places<kVectors>(values, width, x.tiles, weights, count, first, ahead, sums);
    } else {
      multiply_places<kFew>(values, width, x.tiles, weights, count, first, ahead, sums);
    }
    first = false;
  }
  if (first) std::fill_n(sums, kPlaces * (x.tiles * kGroup + kLine), 0.0F);
  const size_t begin = bundle.y_offset + from;
  for (size_t v = 0; v < channels; v += kLanes) {
    store_outputs(task, tiles, x.tiles, begin + v, begin + channels, sums + v);
  }
}

void GroupsImpl(const ConvTask& task, const WinogradBlock& block, size_t first, size_t last,
                float* shared, float* scratch) {
  const Inputs x{shared, block.last - block.first, task.x.channels};
  Tile tiles[kMostTiles];
  for (size_t t = 0; t < x.tiles; ++t) {
    const Corner at(task, block.first + t);
    tiles[t] = {task.y.data + (at.top * task.y.width + at.left) * task.y.stride,
                std::min(kOutputs, task.y.height - at.top),
                std::min(kOutputs, task.y.width - at.left)};
  }
  size_t g = 0;
  for (const Bundle& bundle : *task.bundles) {
    for (size_t from = 0; from < bundle.channels; from += kGroup, ++g) {
      if (g >= first && g < last) run_group(task, tiles, bundle, from, x, scratch);
    }
  }
}

size_t GroupFloatsImpl() { return kGroup; }

// Whether the processor is known to multiply vectors of AVX-512 in two halves: AMD's Zen 4.
bool multiplies_halves() {
#if HWY_ARCH_X86
  return __builtin_cpu_is("amdfam19h");
#else
  return false;
#endif
}

// What transforming a vector of weights takes, in multiplications of vectors: as was measured. With
// AVX-512 it is 180 to 220 where the processor multiplies at half rate and 450 where it does not,
// and can read no more weights a second: between them, where neither is known, images of 7x7 pixels
// lose least by the wrong way.
double WeightsCostImpl() {
  if (!kPackPanels) return 340;
  return multiplies_halves() ? 220 : 260;
}

}  // namespace HWY_NAMESPACE
}  // namespace nestling::runtime
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nestling::runtime {

HWY_EXPORT(InputsImpl);
HWY_EXPORT(GroupsImpl);
HWY_EXPORT(GroupFloatsImpl);
HWY_EXPORT(WeightsCostImpl);

// What a layer reads and writes.
static size_t own_floats(const ConvTask& task) {
  return task.x.height * task.x.width * task.x.channels +
         task.y.height * task.y.width * task.y.channels + kTaps * task.x.channels * task.y.channels;
}

static size_t scratch_of(const ConvTask& task, size_t tiles) {
  return WinogradScratch(task.x.channels, tiles, HWY_DYNAMIC_DISPATCH(GroupFloatsImpl)()).floats;
}

size_t winograd_tiles(const ConvTask& task) {
  return (task.y.height + kOutputs - 1) / kOutputs * ((task.y.width + kOutputs - 1) / kOutputs);
}

size_t winograd_block(const ConvTask& task) {
  // Where a layer is small, so should be what computing it takes.
  const size_t most = std::min(kMostFloats, own_floats(task)), tiles = winograd_tiles(task);
  size_t block =
      std::min(kMostTiles, (tiles + kWinogradTiles - 1) / kWinogradTiles * kWinogradTiles);
  while (block > kWinogradTiles && scratch_of(task, block) > most) block -= kWinogradTiles;
  return std::min(block, tiles);
}

size_t winograd_scratch(const ConvTask& task) { return scratch_of(task, winograd_block(task)); }

bool winograd_fits(const ConvTask& task) {
  return is_winograd(*task.node) && winograd_scratch(task) <= own_floats(task);
}

bool winograd_pays(const ConvTask& task) {
  if (!winograd_fits(task)) return false;
  // For each pair of an input and an output channel, in multiplications of vectors.
  const auto tiles = static_cast<double>(winograd_tiles(task));
  const auto block = static_cast<double>(winograd_block(task));
  const double direct = 9.0 * static_cast<double>(task.y.height * task.y.width);
  const double ours = tiles * (kPlaces + 240.0 / static_cast<double>(task.y.channels) +
                               300.0 / static_cast<double>(task.x.channels) +
                               HWY_DYNAMIC_DISPATCH(WeightsCostImpl)() / block);
  return ours < 0.9 * direct;
}

void winograd_inputs(const ConvTask& task, const WinogradBlock& block, size_t first, size_t last,
                     float* shared) {
  HWY_DYNAMIC_DISPATCH(InputsImpl)(task, block, first, last, shared);
}

void winograd_groups(const ConvTask& task, const WinogradBlock& block, size_t first, size_t last,
                     float* shared, float* scratch) {
  HWY_DYNAMIC_DISPATCH(GroupsImpl)(task, block, first, last, shared, scratch);
}

}  // namespace nestling::runtime
#endif
