#include "graph/ops/layer_norm.h"

#include <fmt/ranges.h>

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {
namespace {

// The mean and the inverse of the deviation are outputs too, if anybody wants them.
void read(OnnxNode& node) {
  LayerNorm op;
  op.axis = node.integer("axis", -1);
  op.epsilon = node.real("epsilon", 1e-5F);
  node.ignore("stash_type");  // the type of sums, which is float32 here
  node.append(op, node.values());
  if (!node.has_output(1) && !node.has_output(2)) return;
  const auto rank = static_cast<int64_t>(node.shape(0).size());
  Reduce mean{Reduce::Function::mean, {}, true};
  for (int64_t i = op.axis < 0 ? op.axis + rank : op.axis; i < rank; ++i) mean.axes.push_back(i);
  const ValueId x = node.value(0);
  const ValueId centre = node.step(".mean", mean, {x});
  if (node.has_output(1)) node.alias(centre, 1);
  if (!node.has_output(2)) return;
  const ValueId around = node.step(".around", Binary{Binary::Function::sub}, {x, centre});
  const ValueId variance =
      node.step(".variance", mean, {node.step(".squares", kMul, {around, around})});
  const ValueId epsilon = node.constant(".epsilon", {{}, {op.epsilon}});
  const ValueId deviation = node.step(".deviation", Unary{Unary::Function::sqrt},
                                      {node.step(".sum", kAdd, {variance, epsilon})});
  node.append(Unary{Unary::Function::reciprocal}, {deviation}, 2);
}

}  // namespace

Shape LayerNorm::shape(const Inputs& in) const {
  in.expect(2, 3);
  const Shape& x = in.shape(0);
  const size_t first = in.axis(axis, x.size());
  in.not_the_batch(x, first);
  for (size_t i = 1; i < in.count(); ++i) {
    if (broadcast(in, x, in.shape(i)) != x) {
      in.refuse(fmt::format("input {} has shape {}, which does not fit", i, in.shape(i)));
    }
  }
  return x;
}

// What is normalised together stays together.
void LayerNorm::tie(Ties& ties) const {
  const Shape& x = ties.in_shape(0);
  const size_t first = axis < 0 ? x.size() - static_cast<size_t>(-axis) : static_cast<size_t>(axis);
  ties.join_all();
  for (size_t i = first; i < x.size(); ++i) ties.pin(ties.in(0, i));
  for (size_t k = 1; k < ties.inputs(); ++k) {
    const Shape& scale = ties.in_shape(k);
    for (size_t i = 0; i < scale.size(); ++i) {
      const size_t along = x.size() - scale.size() + i;
      if (scale[i] == x[along]) ties.join(ties.in(k, i), ties.out(along));
    }
  }
}

void LayerNorm::write(OnnxWriter& to) const {
  to.needs_opset(17);
  to.integer("axis", axis);
  to.real("epsilon", epsilon);
}

std::vector<OnnxRule> LayerNorm::onnx() { return {{"LayerNormalization", read}}; }

}  // namespace nestling
