#include "graph/ops/average_pool.h"

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/pooling.h"
#include "graph/ties.h"

namespace nestling {

Shape AveragePool::shape(const Inputs& in) const { return pooled(in, *this, {1, 1}); }

void AveragePool::tie(Ties& ties) const { ties.join_channels(); }

void AveragePool::write(OnnxWriter& to) const {
  write_pooling(to, *this);
  to.integer("count_include_pad", int64_t{count_padding});
}

std::vector<OnnxRule> AveragePool::onnx() {
  return {{"AveragePool", [](OnnxNode& node) {
             AveragePool op;
             read_pooling(node, op, {1, 1});
             op.count_padding = node.integer("count_include_pad", 0) != 0;
             if (node.array<2>("dilations", {1, 1}) != Extent{1, 1}) {
               fail("its dilations are not supported");
             }
             node.append(op, {node.value(0)});
           }}};
}

}  // namespace nestling
