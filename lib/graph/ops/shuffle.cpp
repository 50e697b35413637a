#include "graph/ops/shuffle.h"

#include <fmt/format.h>

#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {

Shape Shuffle::shape(const Inputs& in) const {
  in.expect(1, 1);
  const Shape& x = in.expect_rank(0, 4);
  if (groups < 1 || x[1] % groups != 0) {
    in.refuse(fmt::format("{} channels do not divide into {} groups", x[1], groups));
  }
  return x;
}

// The groups shrink evenly: each keeps the same of its channels.
void Shuffle::tie(Ties& ties) const {
  const int64_t channels = ties.out_shape()[1], each = channels / groups;
  for (int64_t c = 0; c < channels; ++c) {
    ties.bind(ties.in(0, 1), c, ties.in(0, 1), c % each);
    ties.join(ties.out(1), c, ties.in(0, 1), c / groups + c % groups * each);
  }
  ties.pin_pixels();
}

void Shuffle::write(OnnxWriter& to) const {
  const Shape& x = to.in_shape(0);
  to.op_type("Reshape");
  to.input(".split", std::vector<int64_t>{0, groups, x[1] / groups, x[2], x[3]});
  to.then("Transpose");
  to.integers("perm", std::vector<int64_t>{0, 2, 1, 3, 4});
  to.then("Reshape");
  to.input(".joined", std::vector<int64_t>{0, -1, x[2], x[3]});
}

// Recognised in the importer's passes, from what `write` writes.
std::vector<OnnxRule> Shuffle::onnx() { return {}; }

}  // namespace nestling
