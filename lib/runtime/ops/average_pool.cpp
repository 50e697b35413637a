// numbers: {1 if padding counts}.
#include "runtime/elementwise.h"
#include "runtime/window.h"

namespace nestling::runtime {

extern const Operator op_average_pool = {
    "average_pool",
    Weights::none,
    [](const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
      return node.numbers.size() == 1 ? check_pool(node, in, out) : "a pooling lacks its numbers";
    },
    [](const Step& step, const ThreadPool& pool) {
      run_pool(step, pool, [&](const Image& x, const Image& y, size_t pixel) {
        float* to = y.data + pixel * y.stride;
        std::fill_n(to, y.channels, 0.0F);
        const WindowCount window = fold_window(*step.node, x, y, pixel, sum_of, to);
        const size_t count =
            std::max<size_t>(step.node->numbers[0] != 0 ? window.padded : window.inside, 1);
        for (size_t c = 0; c < y.channels; ++c) to[c] /= static_cast<float>(count);
      });
    },
    {.by_channel = true, .strided = true}};

}  // namespace nestling::runtime
