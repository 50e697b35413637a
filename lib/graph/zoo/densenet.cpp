// Huang et al., CVPR 2017: every layer of a block sees all before it.
#include <fmt/format.h>

#include "graph/zoo/builder.h"

namespace nestling::zoo {
namespace {

void norm_relu_conv(Builder& b, const std::string& name, const Builder::Layer& layer) {
  b.batch_norm(name + ".bn");
  b.relu(name + ".relu");
  b.conv(name, layer);
}

}  // namespace

Graph densenet121(Builder b) {
  b.leave_out_halvings();
  const int64_t growth = b.filters(32);
  b.conv_bn_relu("conv1", {.filters = 2 * growth, .kernel = b.small_images() ? 3 : 7, .stride = 2});
  b.max_pool("pool1", 3, 1);
  int block = 0;
  for (const int layers : {6, 12, 24, 16}) {
    if (block > 0) {
      const std::string name = fmt::format("transition{}", block);
      norm_relu_conv(b, name, {.filters = b.channels() / 2});
      b.average_pool(name + ".pool");
    }
    ++block;
    for (int layer = 1; layer <= layers; ++layer) {
      const std::string name = fmt::format("block{}.layer{}", block, layer);
      const ValueId before = b.x();
      norm_relu_conv(b, name + ".conv1", {.filters = 4 * growth});
      norm_relu_conv(b, name + ".conv2", {.filters = growth, .kernel = 3});
      b.concat(name + ".concat", {before, b.x()});
    }
  }
  b.batch_norm("last.bn");
  b.relu("last.relu");
  b.pool_and_flatten();
  return b.finish();
}

}  // namespace nestling::zoo
