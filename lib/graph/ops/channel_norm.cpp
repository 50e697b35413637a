#include "graph/ops/channel_norm.h"

#include "graph/onnx_writer.h"
#include "graph/ops/transpose.h"
#include "graph/ties.h"

namespace nestling {

Shape ChannelNorm::shape(const Inputs& in) const {
  in.expect(1, 1);
  return in.expect_rank(0, 4);
}

// What is normalised together stays together.
void ChannelNorm::tie(Ties& ties) const {
  ties.join_channels();
  ties.pin(ties.out(1));
}

void ChannelNorm::write(OnnxWriter& to) const {
  const int64_t channels = to.in_shape(0)[1];
  to.needs_opset(17);
  to.op_type("Transpose");
  to.integers("perm", kToChannelsLast);
  to.then("LayerNormalization");
  to.input(".ones", Tensor{{channels}, std::vector<float>(static_cast<size_t>(channels), 1)});
  to.integer("axis", -1);
  to.real("epsilon", epsilon);
  to.then("Transpose");
  to.integers("perm", kToChannelsFirst);
}

// Recognised in the importer's passes, from what `write` writes.
std::vector<OnnxRule> ChannelNorm::onnx() { return {}; }

}  // namespace nestling
