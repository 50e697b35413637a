// What the operators with weights have in common.
#pragma once

#include <algorithm>

#include "runtime/conv_half.h"
#include "runtime/operator.h"
#include "runtime/winograd.h"

namespace nestling::runtime {

// Of the n-th image of a batch.
inline ConvTask task_of(const Step& step, size_t n) {
  const float* addend = step.then == Then::add ? image(step.inputs.back(), n).data : nullptr;
  return {step.node,        step.low,   step.high,     image(step.inputs[0], n),
          image(step.y, n), addend,     &step.bundles, step.channel_weights,
          step.channel_row, step.scale, step.shift,    step.zeros};
}

// Calls run(task) for every image of a batch.
template <typename Run>
void for_each_image(const Step& step, const Run& run) {
  for (size_t n = 0; n < image_count(step.inputs[0]); ++n) run(task_of(step, n));
}

// The memory that one thread of a step has for itself meanwhile, behind what is for all.
class Scratch {
 public:
  Scratch(const Step& step, const ThreadPool& pool, size_t floats, size_t for_all = 0)
      : slot_(pool), data_(step.scratch + for_all + slot_.number() * align_floats(floats)) {}
  float* data() const { return data_; }

 private:
  ThreadPool::Slot slot_;
  float* data_;
};

// Runs a kernel on every image of a batch, its pixels shared out among the threads.
template <typename Kernel>
void run_layer(const Step& step, const ThreadPool& pool, const Kernel& kernel) {
  for_each_image(step, [&](const ConvTask& task) {
    pool.parallel(task.y.height * task.y.width, conv_tile(),
                  [&](size_t first, size_t last) { kernel(task, first, last); });
  });
}

// Calls run(first, last, first group, last group) for equal parts of `count` pixels, in `blocks` of
// tiles of `tile` each, and of `groups` of channels: of all, or, where that makes too few parts for
// the threads, of some, and in more blocks where there are too few groups to share out evenly. A
// thread has the same channels of several parts, so it fetches only their weights.
template <typename Run>
void run_parts(const ThreadPool& pool, size_t count, size_t tile, size_t blocks, size_t groups,
               const Run& run) {
  const size_t tiles = (count + tile - 1) / tile;
  const size_t threads = pool.threads(), wanted = pool.wanted_parts();
  const size_t cuts = std::clamp<size_t>((wanted + blocks - 1) / blocks, 1, groups);
  if (blocks * cuts < wanted && blocks * cuts % threads != 0) {
    const size_t even = (wanted + cuts * threads - 1) / (cuts * threads) * threads;
    blocks = std::min(tiles, even);
  }
  pool.parallel(blocks * cuts, 1, [&](size_t first, size_t last) {
    for (size_t part = first; part < last; ++part) {
      const size_t block = part % blocks, cut = part / blocks;
      run(block * tiles / blocks * tile, std::min((block + 1) * tiles / blocks * tile, count),
          cut * groups / cuts, (cut + 1) * groups / cuts);
    }
  });
}

// Blocks of tiles by each thread for itself, or, where these are too few for the threads, by all of
// them together, so that inputs are transformed once.
inline void run_winograd(const Step& step, const ThreadPool& pool, const ConvTask& task) {
  const size_t floats = winograd_scratch(task), groups = conv_groups(task);
  const size_t count = winograd_tiles(task), most = winograd_block(task);
  const size_t tiles = (count + kWinogradTiles - 1) / kWinogradTiles;
  const size_t blocks = (count + most - 1) / most;
  if (groups == 1 || blocks >= pool.wanted_parts()) {
    run_parts(pool, count, kWinogradTiles, blocks, 1,
              [&](size_t first, size_t last, size_t, size_t) {
                const Scratch scratch(step, pool, floats);
                const WinogradBlock block{first, last};
                winograd_inputs(task, block, first, last, scratch.data());
                winograd_groups(task, block, 0, groups, scratch.data(), scratch.data());
              });
    return;
  }
  for (size_t b = 0; b < blocks; ++b) {
    const WinogradBlock block{b * tiles / blocks * kWinogradTiles,
                              std::min((b + 1) * tiles / blocks * kWinogradTiles, count)};
    pool.parallel(block.last - block.first, 1, [&](size_t first, size_t last) {
      winograd_inputs(task, block, block.first + first, block.first + last, step.scratch);
    });
    pool.parallel(groups, 1, [&](size_t first, size_t last) {
      winograd_groups(task, block, first, last, step.scratch, Scratch(step, pool, floats).data());
    });
  }
}

// The inputs become float16 first, for all parts.
inline void run_half(const Step& step, const ThreadPool& pool, const ConvTask& task) {
  auto* halves = reinterpret_cast<uint16_t*>(step.scratch);
  pool.parallel(task.x.height * task.x.width, kHalfTile,
                [&](size_t first, size_t last) { half_inputs(task, first, last, halves); });
  const size_t floats = half_scratch(task), count = task.y.height * task.y.width;
  const size_t tiles = (count + kHalfTile - 1) / kHalfTile;
  const size_t blocks =
      std::max((tiles + kConvTiles - 1) / kConvTiles, std::min(tiles, pool.wanted_parts()));
  run_parts(pool, count, kHalfTile, blocks, half_groups(task), [&](const auto&... part) {
    conv_half(task, {part...}, halves, Scratch(step, pool, floats, half_floats(task)).data());
  });
}

// The pixels of a part of a pair (run_pair), in tiles: as many as fit into a first cache, or else a
// second, but enough for weights to be worth fetching.
inline size_t pair_tiles(const ConvTask& channels) {
  constexpr size_t kFloats = size_t{1} << 14, kLeast = 4;
  return std::clamp(kFloats / (conv_tile() * channels.y.stride), kLeast, kConvTiles);
}

// What a thread needs for it: what either kernel does, and behind it the pixels between them.
inline size_t kernel_scratch(const ConvTask& channels, const ConvTask& points) {
  return align_floats(std::max(conv_scratch(channels), conv_scratch(points)));
}
inline size_t pair_scratch(const ConvTask& channels, const ConvTask& points) {
  return kernel_scratch(channels, points) +
         padded_row(pair_tiles(channels) * conv_tile() * channels.y.stride);
}

// A depthwise convolution and the 1x1 convolution behind it: some pixels of the one, then, while
// they are in the cache, of the other.
inline void run_pair(const Step& step, const ThreadPool& pool) {
  for (size_t n = 0; n < image_count(step.y); ++n) {
    const ConvTask channels = task_of(step.before[0], n), points = task_of(step, n);
    const size_t count = points.y.height * points.y.width, most = pair_tiles(channels);
    const size_t tiles = (count + conv_tile() - 1) / conv_tile();
    const size_t blocks = std::max((tiles + most - 1) / most, std::min(tiles, pool.wanted_parts()));
    run_parts(pool, count, conv_tile(), blocks, 1, [&](size_t first, size_t last, size_t, size_t) {
      const Scratch scratch(step, pool, pair_scratch(channels, points));
      float* pixels = scratch.data() + kernel_scratch(channels, points);
      depthwise(channels, first, last, pixels, scratch.data());
      ConvTask part = points;
      part.x = {pixels, 1, last - first, channels.y.channels, channels.y.stride};
      part.y = {points.y.data + first * points.y.stride, 1, last - first, points.y.channels,
                points.y.stride};
      if (part.addend != nullptr) part.addend += first * points.y.stride;
      conv(part, {0, last - first, 0, conv_groups(part)}, scratch.data());
    });
  }
}

// Whether weights are fewer than what they meet, and may be read once more.
inline bool fewer_weights(const ConvTask& task) {
  const size_t taps = taps_of(*task.node);
  size_t weights = 0;
  for (const Bundle& bundle : *task.bundles) {
    if (!bundle.direct && !bundle.ahead) return false;  // packed for each part
    weights += bundle.channels * bundle.depth * taps;
  }
  return weights < task.x.height * task.x.width * task.x.channels;
}

// Runs a convolution in parts of as many pixels as weights should serve once they are in the cache.
// Threads part the pixels, most of which each has written itself, in the layer before, where that
// leaves less to fetch than if they parted the channels.
inline void run_conv(const Step& step, const ThreadPool& pool) {
  if (!step.before.empty()) return run_pair(step, pool);
  for_each_image(step, [&](const ConvTask& task) {
    if (step.method == ConvMethod::winograd) return run_winograd(step, pool, task);
    if constexpr (kHalves) {
      if (step.method == ConvMethod::half) return run_half(step, pool, task);
    }
    const size_t floats = conv_scratch(task), count = task.y.height * task.y.width;
    const size_t tiles = (count + conv_tile() - 1) / conv_tile();
    size_t blocks = (tiles + kConvTiles - 1) / kConvTiles;
    if (fewer_weights(task)) blocks = std::max(blocks, std::min(tiles, pool.wanted_parts()));
    run_parts(pool, count, conv_tile(), blocks, conv_groups(task), [&](const auto&... part) {
      conv(task, {part...}, Scratch(step, pool, floats).data());
    });
  });
}

}  // namespace nestling::runtime
