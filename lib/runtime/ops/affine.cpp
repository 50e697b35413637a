// x * scale + shift, for each channel: a batch norm that no layer takes in.
#include "runtime/layer.h"

namespace nestling::runtime {

extern const Operator op_affine = {
    "affine",
    Weights::scale,
    [](const NodeSpec&, const std::vector<Shape>& in, const Shape& out) -> const char* {
      if (out.size() < 2) return "an affine node has no channels";
      return check_same(in, out);
    },
    [](const Step& step, const ThreadPool& pool) { run_layer(step, pool, affine); },
    {.by_channel = true, .strided = true}};

}  // namespace nestling::runtime
