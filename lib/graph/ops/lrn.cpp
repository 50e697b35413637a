#include "graph/ops/lrn.h"

#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {

Shape Lrn::shape(const Inputs& in) const {
  in.expect(1, 1);
  const Shape& x = in.shape(0);
  if (x.size() < 2) in.refuse("its input has no channels");
  if (size < 1 || size > (1 << 20)) in.refuse("its size is out of range");
  return x;
}

// Each channel sees its neighbours, so none can go.
void Lrn::tie(Ties& ties) const {
  ties.join_all();
  ties.pin(ties.in(0, 1));
}

void Lrn::write(OnnxWriter& to) const {
  to.integer("size", size);
  to.real("alpha", alpha);
  to.real("beta", beta);
  to.real("bias", bias);
}

std::vector<OnnxRule> Lrn::onnx() {
  return {{"LRN", [](OnnxNode& node) {
             Lrn op;
             op.size = node.integer("size", 0);
             op.alpha = node.real("alpha", 1e-4F);
             op.beta = node.real("beta", 0.75F);
             op.bias = node.real("bias", 1);
             node.append(op, {node.value(0)});
           }}};
}

}  // namespace nestling
