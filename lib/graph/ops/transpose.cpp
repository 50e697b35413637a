#include "graph/ops/transpose.h"

#include <algorithm>

#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {

Shape Transpose::shape(const Inputs& in) const {
  in.expect(1, 1);
  const Shape& x = in.shape(0);
  if (order.size() != x.size()) in.refuse("does not name each axis once");
  Shape y(x.size());
  std::vector<bool> met(x.size());
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t from = in.axis(order[i], x.size());
    if (met[from] || order[i] < 0) in.refuse("does not name each axis once");
    met[from] = true;
    if (from != i) in.not_the_batch(x, from);
    y[i] = x[from];
  }
  return y;
}

void Transpose::tie(Ties& ties) const {
  for (size_t i = 0; i < order.size(); ++i) {
    ties.join(ties.out(i), ties.in(0, static_cast<size_t>(order[i])));
  }
}

void Transpose::write(OnnxWriter& to) const { to.integers("perm", order); }

std::vector<OnnxRule> Transpose::onnx() {
  return {{"Transpose", [](OnnxNode& node) {
             Transpose op{node.integers("perm")};
             if (op.order.empty()) {  // reversed
               for (size_t i = node.shape(0).size(); i > 0; --i) {
                 op.order.push_back(static_cast<int64_t>(i) - 1);
               }
             }
             node.append(op, {node.value(0)});
           }}};
}

}  // namespace nestling
