// What the operators with weights have in common.
#pragma once

#include <algorithm>

#include "runtime/operator.h"

namespace nestling::runtime {

// Calls run(task) for every image of a batch.
template <typename Run>
void for_each_image(const Step& step, const Run& run) {
  for (size_t n = 0; n < image_count(step.inputs[0]); ++n) {
    run(ConvTask{step.node, image(step.inputs[0], n), image(step.y, n), &step.ranges, step.zeros});
  }
}

// Runs a kernel on every image of a batch, its pixels shared out among the threads.
template <typename Kernel>
void run_layer(const Step& step, const ThreadPool& pool, const Kernel& kernel) {
  for_each_image(step, [&](const ConvTask& task) {
    pool.parallel(task.y.height * task.y.width, conv_tile(),
                  [&](size_t first, size_t last) { kernel(task, first, last); });
  });
}

// Runs a convolution in parts of as many pixels as weights should serve once they are in the cache;
// where that makes too few for the threads, of fewer channels each.
inline void run_conv(const Step& step, const ThreadPool& pool) {
  for_each_image(step, [&](const ConvTask& task) {
    const size_t pixels = task.y.height * task.y.width, block = kConvTiles * conv_tile();
    const size_t blocks = (pixels + block - 1) / block, groups = conv_groups(task);
    const size_t wanted = pool.threads() > 1 ? 4 * pool.threads() : 1;
    const size_t cuts = std::clamp<size_t>((wanted + blocks - 1) / blocks, 1, groups);
    pool.parallel(blocks * cuts, 1, [&](size_t first, size_t last) {
      for (size_t part = first; part < last; ++part) {
        const size_t from = part / cuts * block, cut = part % cuts;
        conv(task, {from, std::min(from + block, pixels), cut * groups / cuts,
                    (cut + 1) * groups / cuts});
      }
    });
  });
}

}  // namespace nestling::runtime
