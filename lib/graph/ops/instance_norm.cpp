#include "graph/ops/instance_norm.h"

#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {

Shape InstanceNorm::shape(const Inputs& in) const {
  in.expect(3, 3);
  const Shape& x = in.shape(0);
  if (x.size() < 3) in.refuse("its input has no pixels");
  in.expect_constant(1, {x[1]});
  in.expect_constant(2, {x[1]});
  return x;
}

void InstanceNorm::tie(Ties& ties) const {
  ties.join_channels();
  ties.join(ties.in(1, 0), ties.out(1));
  ties.join(ties.in(2, 0), ties.out(1));
}

void InstanceNorm::write(OnnxWriter& to) const { to.real("epsilon", epsilon); }

std::vector<OnnxRule> InstanceNorm::onnx() {
  return {{"InstanceNormalization", [](OnnxNode& node) {
             node.append(InstanceNorm{node.real("epsilon", 1e-5F)}, node.values());
           }}};
}

}  // namespace nestling
