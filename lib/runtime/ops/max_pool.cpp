#include <limits>

#include "runtime/elementwise.h"
#include "runtime/window.h"

namespace nestling::runtime {

extern const Operator op_max_pool = {
    "max_pool",
    Weights::none,
    check_pool,
    [](const Step& step, const ThreadPool& pool) {
      run_pool(step, pool, [&](const Image& x, const Image& y, size_t pixel) {
        float* to = y.data + pixel * y.stride;
        std::fill_n(to, y.channels, -std::numeric_limits<float>::infinity());
        fold_window(*step.node, x, y, pixel, maximum_of, to);
      });
    },
    {.by_channel = true, .strided = true}};

}  // namespace nestling::runtime
