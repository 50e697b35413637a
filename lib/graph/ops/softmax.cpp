#include "graph/ops/softmax.h"

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {
namespace {

// Before opset 13 the axes from `axis` on are normalised together.
void read(OnnxNode& node) {
  const Shape x = node.shape(0);
  const auto rank = static_cast<int64_t>(x.size());
  Softmax op;
  op.log = node.op_type() == "LogSoftmax";
  op.axis = node.integer("axis", node.opset() < 13 ? 1 : -1);
  if (op.axis < 0) op.axis += rank;
  if (op.axis < 0 || op.axis >= rank) fail("has an axis that is not there");
  if (node.opset() >= 13 || op.axis == rank - 1) return node.append(op, {node.value(0)});
  Shape together(x.begin(), x.begin() + op.axis);
  together.push_back(-1);
  const ValueId flat = node.step(".flat", Reshape{together}, {node.value(0)});
  node.append(Reshape{x}, {node.step(".softmax", op, {flat})});
}

}  // namespace

const char* Softmax::name() const { return log ? "LogSoftmax" : "Softmax"; }

Shape Softmax::shape(const Inputs& in) const {
  in.expect(1, 1);
  const Shape& x = in.shape(0);
  in.not_the_batch(x, in.axis(axis, x.size()));
  return x;
}

void Softmax::tie(Ties& ties) const {
  ties.join_all();
  ties.pin(ties.in(0, static_cast<size_t>(axis)));
}

void Softmax::write(OnnxWriter& to) const { to.integer("axis", axis); }

std::vector<OnnxRule> Softmax::onnx() { return {{"Softmax", read}, {"LogSoftmax", read}}; }

}  // namespace nestling
