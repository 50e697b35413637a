// What the operators with weights have in common.
#pragma once

#include "runtime/operator.h"

namespace nestling::runtime {

// Runs a kernel on every image of a batch, its pixels shared out among the threads.
template <typename Kernel>
void run_layer(const Step& step, const ThreadPool& pool, const Kernel& kernel) {
  for (size_t n = 0; n < image_count(step.inputs[0]); ++n) {
    const ConvTask task{step.node, image(step.inputs[0], n), image(step.y, n), &step.ranges,
                        step.zeros};
    pool.parallel(task.y.height * task.y.width, conv_tile(),
                  [&](size_t first, size_t last) { kernel(task, first, last); });
  }
}

}  // namespace nestling::runtime
