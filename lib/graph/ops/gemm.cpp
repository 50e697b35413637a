#include "graph/ops/gemm.h"

#include <fmt/format.h>

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {
namespace {

// alpha * a * b + beta * c, as a layer if b is a constant, or else by parts.
void read_gemm(OnnxNode& node) {
  if (node.inputs() < 2) fail("has too few inputs");
  const float alpha = node.real("alpha", 1), beta = node.real("beta", 1);
  const bool flip_a = node.integer("transA", 0) != 0, flip_b = node.integer("transB", 0) != 0;
  node.ignore("broadcast");  // of opset 6
  const Transpose flip{{1, 0}};
  if (node.shape(0).size() != 2 || node.shape(1).size() != 2) fail("needs two matrices");
  ValueId a = node.value(0), b = node.value(1);
  if (flip_a) a = node.step(".a", flip, {a});
  const bool biased = node.has_input(2);
  const bool layer = node.is_constant(1);
  if (alpha != 1) b = node.step(".alpha", kMul, {b, node.constant(".alpha.value", {{}, {alpha}})});
  ValueId c = -1;
  if (biased) {
    c = node.value(2);
    if (beta != 1) c = node.step(".beta", kMul, {c, node.constant(".beta.value", {{}, {beta}})});
  }
  if (!layer) {
    if (flip_b) b = node.step(".b", flip, {b});
    if (!biased) return node.append(MatMul{}, {a, b});
    return node.append(kAdd, {node.step(".product", MatMul{}, {a, b}), c});
  }
  const int64_t filters = node.shape(1)[flip_b ? 0 : 1];
  if (!flip_b) b = node.step(".transposed", flip, {b});
  if (!biased) return node.append(Gemm{}, {a, b});
  const Shape& bias = node.shape(2);
  const bool along = !bias.empty() && bias.back() == filters && element_count(bias) == filters;
  if (!along || !node.is_constant(2)) {
    return node.append(kAdd, {node.step(".product", Gemm{}, {a, b}), c});
  }
  if (bias.size() != 1) c = node.step(".bias", Reshape{{-1}}, {c});
  node.append(Gemm{}, {a, b, c});
}

// By a constant matrix: a layer.
void read_matmul(OnnxNode& node) {
  if (node.inputs() != 2) fail("needs two inputs");
  if (!node.is_constant(1) || node.shape(1).size() != 2 || node.shape(0).size() < 2) {
    return node.append(MatMul{}, node.values());
  }
  node.append(Gemm{},
              {node.value(0), node.step(".transposed", Transpose{{1, 0}}, {node.value(1)})});
}

}  // namespace

Shape Gemm::shape(const Inputs& in) const {
  in.expect(2, 3);
  Shape y = in.shape(0);
  const Shape& w = in.expect_rank(1, 2);
  if (y.size() < 2) in.refuse("its input needs at least 2 dimensions");
  if (w[0] < 1) in.refuse("the weight has no filters");
  in.expect_constant(1, {w[0], y.back()});
  in.expect_constant(2, {w[0]});
  y.back() = w[0];
  return y;
}

int64_t Gemm::macs(const Inputs& in, const Shape& output) const {
  return element_count(output) * in.shape(1)[1];
}

void Gemm::tie(Ties& ties) const {
  const size_t last = ties.out_shape().size() - 1;
  for (size_t axis = 0; axis < last; ++axis) ties.join(ties.out(axis), ties.in(0, axis));
  ties.join(ties.in(1, 0), ties.out(last));
  if (ties.inputs() > 2) ties.join(ties.in(2, 0), ties.out(last));
  ties.join(ties.in(1, 1), ties.in(0, last));
}

// ONNX's Gemm knows matrices only; with more dimensions the layer is a product and a sum.
void Gemm::write(OnnxWriter& to) const {
  if (to.in_shape(0).size() == 2) {
    to.integer("transB", 1);
  } else {
    to.matmul_and_add();
  }
}

std::vector<OnnxRule> Gemm::onnx() { return {{"Gemm", read_gemm}, {"MatMul", read_matmul}}; }

}  // namespace nestling
