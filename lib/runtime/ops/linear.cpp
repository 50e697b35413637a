// A fully connected layer over the last axis: [..., K] -> [..., M].
#include "runtime/layer.h"

namespace nestling::runtime {

extern const Operator op_linear = {
    "linear", Weights::dense,
    [](const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) -> const char* {
      const bool good = in.size() == 1 && in[0].size() >= 2 && in[0].size() == out.size() &&
                        in[0].size() != 4 &&
                        std::equal(out.begin(), out.end() - 1, in[0].begin()) &&
                        node.kernel[0] == 1 && node.kernel[1] == 1;
      return good ? nullptr : "a fully connected layer does not fit";
    },
    run_conv};

}  // namespace nestling::runtime
