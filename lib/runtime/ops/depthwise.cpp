// A convolution of each channel with a filter of its own.
#include "runtime/layer.h"

namespace nestling::runtime {

extern const Operator op_depthwise = {
    "depthwise",
    Weights::depthwise,
    [](const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) -> const char* {
      if (in.size() != 1 || out.size() != 4 || in[0].size() != 4 || in[0][1] != out[1]) {
        return "a depthwise convolution changes the channels";
      }
      return check_window(node, in[0], out);
    },
    [](const Step& step, const ThreadPool& pool) {
      run_layer(step, pool, [&](const ConvTask& task, size_t first, size_t last) {
        depthwise(task, first, last, task.y.data + first * task.y.stride,
                  Scratch(step, pool, conv_scratch(task)).data());
      });
    },
    {.by_channel = true, .strided = true}};

}  // namespace nestling::runtime
