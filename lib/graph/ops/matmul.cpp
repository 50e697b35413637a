#include "graph/ops/matmul.h"

#include <fmt/ranges.h>

#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {

Shape MatMul::shape(const Inputs& in) const {
  in.expect(2, 2);
  const Shape &a = in.shape(0), &b = in.shape(1);
  if (a.size() < 2 || b.size() < 2) in.refuse("of vectors is not supported");
  if (a.back() != b[b.size() - 2] || a.back() == kBatch) {
    in.refuse(fmt::format("the shapes {} and {} do not fit each other", a, b));
  }
  Shape y = broadcast(in, Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  y.push_back(a[a.size() - 2]);
  y.push_back(b.back());
  if (b.back() == kBatch || (y.size() > 2 && a[a.size() - 2] == kBatch)) {
    in.refuse("multiplies along the batch");
  }
  return y;
}

int64_t MatMul::macs(const Inputs& in, const Shape& output) const {
  return element_count(output) * in.shape(0).back();
}

void MatMul::tie(Ties& ties) const { ties.opaque(); }

void MatMul::write(OnnxWriter&) const {}

std::vector<OnnxRule> MatMul::onnx() { return {}; }  // read by Gemm's, which it mostly is

}  // namespace nestling
