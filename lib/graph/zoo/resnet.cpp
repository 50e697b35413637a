// He et al., CVPR 2016; the bottleneck's stride is in its 3x3 convolution. 18 and 50 are for
// ImageNet, 20 and 56 for small images (section 4.2, but with projections).
#include <fmt/format.h>
#include <vector>

#include "graph/zoo/builder.h"

namespace nestling::zoo {
namespace {

void block(Builder& b, const std::string& name, int64_t filters, int64_t stride, bool bottleneck) {
  const int64_t outputs = bottleneck ? b.filters(4 * filters) : b.filters(filters);
  const ValueId input = b.x();
  ValueId shortcut = input;
  if (stride != 1 || b.channels() != outputs) {
    b.conv_bn(name + ".projection", {.filters = outputs, .stride = stride});
    shortcut = b.x();
    b.go_on_from(input);
  }
  const int64_t inner = b.filters(filters);
  if (bottleneck) {
    b.conv_bn_relu(name + ".conv1", {.filters = inner});
    b.conv_bn_relu(name + ".conv2", {.filters = inner, .kernel = 3, .stride = stride});
    b.conv_bn(name + ".conv3", {.filters = outputs});
  } else {
    b.conv_bn_relu(name + ".conv1", {.filters = inner, .kernel = 3, .stride = stride});
    b.conv_bn(name + ".conv2", {.filters = outputs, .kernel = 3});
  }
  b.add(name + ".add", shortcut);
  b.relu(name + ".relu");
}

Graph stages(Builder b, int64_t filters, const std::vector<int>& blocks, bool bottleneck) {
  for (size_t stage = 0; stage < blocks.size(); ++stage) {
    for (int i = 0; i < blocks[stage]; ++i) {
      block(b, fmt::format("stage{}.block{}", stage + 1, i + 1), filters << stage,
            stage > 0 && i == 0 ? 2 : 1, bottleneck);
    }
  }
  b.pool_and_flatten();
  return b.finish();
}

Graph for_large_images(Builder b, const std::vector<int>& blocks, bool bottleneck) {
  b.leave_out_halvings();
  const int64_t kernel = b.small_images() ? 3 : 7;
  b.conv_bn_relu("conv1", {.filters = b.filters(64), .kernel = kernel, .stride = 2});
  b.max_pool("pool1", 3, 1);
  return stages(std::move(b), 64, blocks, bottleneck);
}

Graph for_small_images(Builder b, int blocks) {
  b.conv_bn_relu("conv1", {.filters = b.filters(16), .kernel = 3});
  return stages(std::move(b), 16, {blocks, blocks, blocks}, false);
}

}  // namespace

Graph resnet18(Builder b) { return for_large_images(std::move(b), {2, 2, 2, 2}, false); }
Graph resnet50(Builder b) { return for_large_images(std::move(b), {3, 4, 6, 3}, true); }
Graph resnet20(Builder b) { return for_small_images(std::move(b), 3); }
Graph resnet56(Builder b) { return for_small_images(std::move(b), 9); }

}  // namespace nestling::zoo
