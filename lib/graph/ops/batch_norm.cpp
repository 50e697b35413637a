#include "graph/ops/batch_norm.h"

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {

Shape BatchNorm::shape(const Inputs& in) const {
  in.expect(5, 5);
  const Shape& x = in.shape(0);
  if (x.size() < 2) in.refuse("its input has no channels");
  for (size_t i = 1; i < 5; ++i) in.expect_constant(i, {x[1]});
  return x;
}

void BatchNorm::tie(Ties& ties) const {
  ties.join_all();
  for (size_t i = 1; i < 5; ++i) ties.join(ties.in(i, 0), ties.out(1));
}

void BatchNorm::write(OnnxWriter& to) const { to.real("epsilon", epsilon); }

std::vector<OnnxRule> BatchNorm::onnx() {
  return {{"BatchNormalization", [](OnnxNode& node) {
             const float epsilon = node.real("epsilon", 1e-5F);
             node.ignore("momentum");  // for training
             node.ignore("is_test");   // of opset 6, as the next
             node.ignore("consumed_inputs");
             if (node.integer("training_mode", 0) != 0 || node.integer("spatial", 1) != 1) {
               fail("is in training mode or not spatial, which is not supported");
             }
             if (node.has_output(1)) fail("has the outputs of training, which are not supported");
             node.append(BatchNorm{epsilon}, node.values());
           }}};
}

}  // namespace nestling
