#include "graph/ops/pad.h"

#include <fmt/format.h>

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {

Shape Pad::shape(const Inputs& in) const {
  in.expect(1, 1);
  Shape y = in.shape(0);
  if (before.size() != y.size() || after.size() != y.size()) {
    in.refuse("has not as many pads as its input has dimensions");
  }
  for (size_t i = 0; i < y.size(); ++i) {
    constexpr int64_t kMax = 1 << 20;
    const int64_t a = before[i], b = after[i];
    if (a < -kMax || a > kMax || b < -kMax || b > kMax) in.refuse("a pad is out of range");
    if (a == 0 && b == 0) continue;
    in.not_the_batch(y, i);
    if (mode == Mode::reflect && (a >= y[i] || b >= y[i])) {
      in.refuse("reflects more than there is");
    }
    y[i] += a + b;
    if (y[i] < 1) in.refuse(fmt::format("nothing is left of axis {}", i));
  }
  return y;
}

void Pad::tie(Ties& ties) const {
  for (size_t axis = 0; axis < before.size(); ++axis) {
    if (before[axis] == 0 && after[axis] == 0) {
      ties.join(ties.out(axis), ties.in(0, axis));
    } else {
      ties.pin(ties.in(0, axis));
      ties.pin(ties.out(axis));
    }
  }
}

void Pad::write(OnnxWriter& to) const {
  constexpr const char* kModes[] = {"constant", "reflect", "edge"};
  to.text("mode", kModes[static_cast<size_t>(mode)]);
  std::vector<int64_t> pads = before;
  pads.insert(pads.end(), after.begin(), after.end());
  to.input(".pads", pads);
  if (mode == Mode::constant) to.input(".value", Tensor{{}, {value}});
}

std::vector<OnnxRule> Pad::onnx() {
  return {{"Pad", [](OnnxNode& node) {
             Pad op;
             const std::string mode = node.text("mode", "constant");
             if (mode == "reflect") {
               op.mode = Mode::reflect;
             } else if (mode == "edge") {
               op.mode = Mode::edge;
             } else if (mode != "constant") {
               fail("its mode {} is not supported", mode);
             }
             const std::vector<int64_t> pads =
                 node.integers("pads", 1).value_or(std::vector<int64_t>{});
             const size_t rank = node.shape(0).size();
             if (node.has_input(3)) fail("names axes, which is not supported");
             if (pads.size() != 2 * rank) fail("has not two pads for each dimension");
             op.before.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(rank));
             op.after.assign(pads.begin() + static_cast<std::ptrdiff_t>(rank), pads.end());
             op.value = node.real("value", 0);
             if (node.has_input(2)) {
               const std::vector<double> value = node.numbers(2);
               if (value.size() != 1) fail("needs one value to pad with");
               op.value = static_cast<float>(value[0]);
             }
             node.append(op, {node.value(0)});
           }}};
}

}  // namespace nestling
