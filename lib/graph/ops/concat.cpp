#include "graph/ops/concat.h"

#include <fmt/format.h>

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {
namespace {

void read(OnnxNode& node) {
  const auto rank = static_cast<int64_t>(node.shape(0).size());
  const int64_t axis = node.integer("axis", 1);
  node.append(Concat{axis < 0 ? axis + rank : axis}, node.values());
}

// Its input several times along each axis.
void read_tile(OnnxNode& node) {
  const std::vector<int64_t> repeats = node.whole_numbers(1);
  if (repeats.size() != node.shape(0).size()) fail("does not name each axis once");
  ValueId x = node.value(0);
  for (size_t axis = 0; axis < repeats.size(); ++axis) {
    if (repeats[axis] == 1) continue;
    if (repeats[axis] < 1 || repeats[axis] > 1024)
      fail("repeats its input {} times", repeats[axis]);
    const std::vector<ValueId> copies(static_cast<size_t>(repeats[axis]), x);
    x = node.step(fmt::format(".axis{}", axis).c_str(), Concat{static_cast<int64_t>(axis)}, copies);
  }
  node.alias(x);
}

}  // namespace

Shape Concat::shape(const Inputs& in) const {
  in.expect(1, 1024);
  Shape joined = in.shape(0);
  const size_t along = in.axis(axis, joined.size());
  in.not_the_batch(joined, along);
  for (size_t i = 1; i < in.count(); ++i) {
    Shape x = in.expect_rank(i, joined.size());
    joined[along] += x[along];
    x[along] = joined[along];
    if (x != joined) in.refuse(fmt::format("input {} does not fit the others", i));
  }
  return joined;
}

void Concat::tie(Ties& ties) const {
  int64_t offset = 0;
  const auto along = static_cast<size_t>(axis);
  for (size_t k = 0; k < ties.inputs(); ++k) {
    const Shape& x = ties.in_shape(k);
    for (size_t a = 0; a < x.size(); ++a) {
      if (a != along) ties.join(ties.out(a), ties.in(k, a));
    }
    for (int64_t i = 0; i < x[along]; ++i)
      ties.join(ties.out(along), offset + i, ties.in(k, along), i);
    offset += x[along];
  }
}

void Concat::write(OnnxWriter& to) const { to.integer("axis", axis); }

std::vector<OnnxRule> Concat::onnx() { return {{"Concat", read}, {"Tile", read_tile}}; }

}  // namespace nestling
