#include "graph/zoo/builder.h"

namespace nestling::zoo {

Graph small(Builder b) {
  b.conv_bn_relu("conv1", {.filters = b.filters(16), .kernel = 3});
  b.max_pool("pool1", 2);
  b.conv_bn_relu("conv2", {.filters = b.filters(32), .kernel = 3});
  b.conv_bn_relu("conv3", {.filters = b.filters(32), .kernel = 3});
  b.max_pool("pool2", 2);
  b.conv_bn_relu("conv4", {.filters = b.filters(64), .kernel = 3});
  b.conv_bn_relu("conv5", {.filters = b.filters(64), .kernel = 3});
  b.pool_and_flatten();
  return b.finish();
}

}  // namespace nestling::zoo
