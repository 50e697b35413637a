#include "graph/ops/depth_to_space.h"

#include <fmt/format.h>

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {

Shape DepthToSpace::shape(const Inputs& in) const {
  in.expect(1, 1);
  const Shape& x = in.expect_rank(0, 4);
  if (block < 1 || block > 1024 || x[1] % (block * block) != 0) {
    in.refuse(fmt::format("{} channels do not divide into blocks of {}", x[1], block));
  }
  return {x[0], x[1] / (block * block), x[2] * block, x[3] * block};
}

// All the channels that become one output channel go together.
void DepthToSpace::tie(Ties& ties) const {
  const int64_t channels = ties.out_shape()[1], places = block * block;
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t p = 0; p < places; ++p) {
      const int64_t from = column_row_depth ? c * places + p : p * channels + c;
      ties.bind(ties.out(1), c, ties.in(0, 1), from);
    }
  }
  ties.pin_pixels();
}

void DepthToSpace::write(OnnxWriter& to) const {
  to.integer("blocksize", block);
  to.text("mode", column_row_depth ? "CRD" : "DCR");
}

std::vector<OnnxRule> DepthToSpace::onnx() {
  return {
      {"DepthToSpace", [](OnnxNode& node) {
         const std::string mode = node.text("mode", "DCR");
         if (mode != "DCR" && mode != "CRD") fail("its mode {} is not supported", mode);
         node.append(DepthToSpace{node.integer("blocksize", 0), mode == "CRD"}, {node.value(0)});
       }}};
}

}  // namespace nestling
