// A convolution; with an output of two axes a layer over whole images. numbers: {groups}.
#include "runtime/layer.h"

namespace nestling::runtime {

extern const Operator op_conv = {
    "conv",
    Weights::dense,
    [](const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
      return in.size() == 1 ? check_window(node, in[0], out) : "a convolution needs one input";
    },
    run_conv,
    {.strided = true}};

}  // namespace nestling::runtime
