#include "graph/ops/reduce.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ops/binary.h"
#include "graph/ops/unary.h"
#include "graph/ties.h"

namespace nestling {
namespace {

using F = Reduce::Function;

void read_reduce(OnnxNode& node) {
  Reduce op;
  const std::string& type = node.op_type();
  const bool least = type == "ReduceMin";
  op.function = type == "ReduceMean" ? F::mean : least || type == "ReduceMax" ? F::max : F::sum;
  op.keep = node.integer("keepdims", 1) != 0;
  const auto rank = static_cast<int64_t>(node.shape(0).size());
  op.axes = node.integers("axes", 1).value_or(std::vector<int64_t>{});
  if (op.axes.empty() && node.integer("noop_with_empty_axes", 0) != 0) {
    return node.alias(node.value(0));
  }
  node.ignore("noop_with_empty_axes");
  if (op.axes.empty()) {
    op.axes.resize(static_cast<size_t>(rank));
    std::iota(op.axes.begin(), op.axes.end(), 0);
  }
  for (int64_t& axis : op.axes) axis += axis < 0 ? rank : 0;
  std::sort(op.axes.begin(), op.axes.end());
  // Minima are maxima of what is negated; norms are sums of what has no sign any more.
  using U = Unary::Function;
  ValueId x = node.value(0);
  if (least) x = node.step(".negated", Unary{U::neg}, {x});
  if (type == "ReduceL1") x = node.step(".sizes", Unary{U::abs}, {x});
  const bool root = type == "ReduceL2";
  if (root || type == "ReduceSumSquare") x = node.step(".squares", kMul, {x, x});
  if (op.axes.empty()) {  // of a scalar
    if (least || root) fail("of a scalar is not supported");
    return node.alias(x);
  }
  if (!least && !root) return node.append(op, {x});
  node.append(Unary{least ? U::neg : U::sqrt}, {node.step(".reduced", op, {x})});
}

// By the square root of the squares' sum, or by the sum of sizes, along an axis.
void read_norm(OnnxNode& node) {
  const int64_t p = node.integer("p", 2);
  if (p != 1 && p != 2) fail("p is {}, not 1 or 2", p);
  const auto rank = static_cast<int64_t>(node.shape(0).size());
  const int64_t axis = node.integer("axis", -1);
  const ValueId x = node.value(0);
  const ValueId terms = p == 1 ? node.step(".sizes", Unary{Unary::Function::abs}, {x})
                               : node.step(".squares", kMul, {x, x});
  ValueId norm = node.step(".sum", Reduce{F::sum, {axis < 0 ? axis + rank : axis}, true}, {terms});
  if (p == 2) norm = node.step(".norm", Unary{Unary::Function::sqrt}, {norm});
  node.append(Binary{Binary::Function::div}, {x, norm});
}

void read_global(OnnxNode& node) {
  if (node.shape(0).size() < 3) fail("has no pixels to pool");
  Reduce op{node.op_type() == "GlobalMaxPool" ? F::max : F::mean, {}, true};
  op.axes.resize(node.shape(0).size() - 2);
  std::iota(op.axes.begin(), op.axes.end(), 2);
  node.append(op, {node.value(0)});
}

}  // namespace

const char* Reduce::name() const {
  return function == F::mean ? "ReduceMean" : function == F::max ? "ReduceMax" : "ReduceSum";
}

Shape Reduce::shape(const Inputs& in) const {
  in.expect(1, 1);
  const Shape& x = in.shape(0);
  Shape y;
  size_t next = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const bool reduced = next < axes.size() && axes[next] == static_cast<int64_t>(i);
    if (!reduced) {
      y.push_back(x[i]);
      continue;
    }
    in.not_the_batch(x, i);
    if (keep) y.push_back(1);
    ++next;
  }
  if (next != axes.size() || axes.empty()) in.refuse("its axes are not axes of its input");
  return y;
}

void Reduce::tie(Ties& ties) const {
  size_t to = 0;
  for (size_t i = 0; i < ties.in_shape(0).size(); ++i) {
    if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) == axes.end()) {
      ties.join(ties.out(to++), ties.in(0, i));
    } else {
      ties.pin(ties.in(0, i));
      to += keep ? 1 : 0;
    }
  }
}

void Reduce::write(OnnxWriter& to) const {
  if (keep && axes == std::vector<int64_t>{2, 3} && to.in_shape(0).size() == 4 &&
      function != F::sum) {
    return to.op_type(function == F::max ? "GlobalMaxPool" : "GlobalAveragePool");
  }
  if (function == F::sum) {
    to.input(".axes", axes);
  } else {
    to.integers("axes", axes);
  }
  to.integer("keepdims", int64_t{keep});
}

std::vector<OnnxRule> Reduce::onnx() {
  return {{"ReduceMean", read_reduce},        {"ReduceMax", read_reduce},
          {"ReduceMin", read_reduce},         {"ReduceSum", read_reduce},
          {"ReduceSumSquare", read_reduce},   {"ReduceL1", read_reduce},
          {"ReduceL2", read_reduce},          {"LpNormalization", read_norm},
          {"GlobalAveragePool", read_global}, {"GlobalMaxPool", read_global}};
}

}  // namespace nestling
