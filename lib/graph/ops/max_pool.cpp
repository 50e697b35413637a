#include "graph/ops/max_pool.h"

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/pooling.h"
#include "graph/ties.h"

namespace nestling {

Shape MaxPool::shape(const Inputs& in) const { return pooled(in, *this, dilation); }

void MaxPool::tie(Ties& ties) const { ties.join_channels(); }

void MaxPool::write(OnnxWriter& to) const {
  write_pooling(to, *this);
  to.integers("dilations", dilation);
}

std::vector<OnnxRule> MaxPool::onnx() {
  return {{"MaxPool", [](OnnxNode& node) {
             MaxPool op;
             op.dilation = node.array<2>("dilations", {1, 1});
             read_pooling(node, op, op.dilation);
             node.ignore("storage_order");  // of the second output
             if (node.has_output(1)) fail("has a second output, which is not supported");
             node.append(op, {node.value(0)});
           }}};
}

}  // namespace nestling
