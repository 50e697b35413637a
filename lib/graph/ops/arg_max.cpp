#include "graph/ops/arg_max.h"

#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {

Shape ArgMax::shape(const Inputs& in) const {
  in.expect(1, 1);
  Shape y = in.shape(0);
  const size_t along = in.axis(axis, y.size());
  in.not_the_batch(y, along);
  if (keep) {
    y[along] = 1;
  } else {
    y.erase(y.begin() + static_cast<std::ptrdiff_t>(along));
  }
  return y;
}

void ArgMax::tie(Ties& ties) const { ties.opaque(); }

void ArgMax::write(OnnxWriter& to) const {
  to.integer("axis", axis);
  to.integer("keepdims", int64_t{keep});
  to.integer("select_last_index", int64_t{last});
}

std::vector<OnnxRule> ArgMax::onnx() {
  return {{"ArgMax", [](OnnxNode& node) {
             ArgMax op;
             op.axis = node.integer("axis", 0);
             if (op.axis < 0) op.axis += static_cast<int64_t>(node.shape(0).size());
             op.keep = node.integer("keepdims", 1) != 0;
             op.last = node.integer("select_last_index", 0) != 0;
             node.append(op, {node.value(0)});
           }}};
}

}  // namespace nestling
