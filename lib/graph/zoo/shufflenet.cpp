// ShuffleNet V2 (Ma et al., ECCV 2018).
#include <fmt/format.h>

#include "graph/zoo/builder.h"

namespace nestling::zoo {
namespace {

// Pointwise, depthwise, pointwise.
void branch(Builder& b, const std::string& name, int64_t filters, int64_t stride) {
  b.conv_bn_relu(name + ".conv1", {.filters = filters});
  b.conv_bn(name + ".conv2",
            {.filters = filters, .kernel = 3, .stride = stride, .groups = filters});
  b.conv_bn_relu(name + ".conv3", {.filters = filters});
}

void unit(Builder& b, const std::string& name, int64_t filters, int64_t stride) {
  const ValueId input = b.x();
  const int64_t half = filters / 2, inputs = b.channels();
  ValueId left = 0;
  if (stride == 1) {
    b.node(name + ".left", Slice{{1}, {0}, {half}, {1}}, {input});
    left = b.x();
    b.node(name + ".right", Slice{{1}, {half}, {filters}, {1}}, {input});
  } else {
    b.conv_bn(name + ".left.conv1",
              {.filters = inputs, .kernel = 3, .stride = stride, .groups = inputs});
    b.conv_bn_relu(name + ".left.conv2", {.filters = half});
    left = b.x();
    b.go_on_from(input);
  }
  branch(b, name + ".right", half, stride);
  b.concat(name + ".concat", {left, b.x()});
  b.node(name + ".shuffle", Shuffle{2}, {b.x()});
}

}  // namespace

Graph shufflenet_v2(Builder b) {
  b.leave_out_halvings();
  b.conv_bn_relu("conv1", {.filters = b.filters(24), .kernel = 3, .stride = 2});
  b.max_pool("pool1", 3, 1);
  int stage = 1;
  for (const auto& [filters, units] : {std::pair{116, 4}, std::pair{232, 8}, std::pair{464, 4}}) {
    ++stage;
    for (int i = 0; i < units; ++i) {
      unit(b, fmt::format("stage{}.unit{}", stage, i + 1), b.filters(filters, 2), i == 0 ? 2 : 1);
    }
  }
  b.conv_bn_relu("conv5", {.filters = b.filters(1024)});
  b.pool_and_flatten();
  return b.finish();
}

}  // namespace nestling::zoo
