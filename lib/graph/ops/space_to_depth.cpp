#include "graph/ops/space_to_depth.h"

#include <fmt/format.h>

#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {

Shape SpaceToDepth::shape(const Inputs& in) const {
  in.expect(1, 1);
  const Shape& x = in.expect_rank(0, 4);
  if (block < 1 || block > 1024 || x[2] % block != 0 || x[3] % block != 0) {
    in.refuse(fmt::format("{} x {} pixels do not divide into blocks of {}", x[2], x[3], block));
  }
  return {x[0], x[1] * block * block, x[2] / block, x[3] / block};
}

void SpaceToDepth::tie(Ties& ties) const {
  const int64_t channels = ties.in_shape(0)[1];
  for (int64_t c = 0; c < ties.out_shape()[1]; ++c) {
    ties.bind(ties.out(1), c, ties.in(0, 1), c % channels);
  }
  ties.pin_pixels();
}

void SpaceToDepth::write(OnnxWriter& to) const { to.integer("blocksize", block); }

std::vector<OnnxRule> SpaceToDepth::onnx() {
  return {{"SpaceToDepth", [](OnnxNode& node) {
             node.append(SpaceToDepth{node.integer("blocksize", 0)}, {node.value(0)});
           }}};
}

}  // namespace nestling
