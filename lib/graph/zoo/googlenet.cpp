// Szegedy et al., CVPR 2015, with batch norm and without the auxiliary classifiers; the 5x5
// convolutions are 3x3, as in the widespread PyTorch weights.
#include <array>
#include <fmt/format.h>

#include "graph/zoo/builder.h"

namespace nestling::zoo {
namespace {

// Filters of: 1x1; 3x3 and the 1x1 before; the other 3x3 and the 1x1 before; 1x1 behind the
// pooling.
void inception(Builder& b, const std::string& name, const std::array<int64_t, 6>& filters) {
  const ValueId input = b.x();
  std::vector<ValueId> parts;
  const auto conv = [&](const char* part, size_t i, int64_t kernel) {
    b.conv_bn_relu(name + part, {.filters = b.filters(filters[i]), .kernel = kernel});
  };
  const auto end_branch = [&] {
    parts.push_back(b.x());
    b.go_on_from(input);
  };
  conv(".branch1", 0, 1);
  end_branch();
  conv(".branch2.reduce", 1, 1);
  conv(".branch2", 2, 3);
  end_branch();
  conv(".branch3.reduce", 3, 1);
  conv(".branch3", 4, 3);
  end_branch();
  b.node(name + ".pool", MaxPool{.kernel = {3, 3}, .padding = {1, 1, 1, 1}}, {input});
  conv(".branch4", 5, 1);
  end_branch();
  b.concat(name + ".concat", parts);
}

}  // namespace

Graph googlenet(Builder b) {
  b.leave_out_halvings();
  b.conv_bn_relu("conv1",
                 {.filters = b.filters(64), .kernel = b.small_images() ? 3 : 7, .stride = 2});
  b.max_pool("pool1", 3, 0, true);
  b.conv_bn_relu("conv2", {.filters = b.filters(64)});
  b.conv_bn_relu("conv3", {.filters = b.filters(192), .kernel = 3});
  b.max_pool("pool2", 3, 0, true);
  inception(b, "inception3a", {64, 96, 128, 16, 32, 32});
  inception(b, "inception3b", {128, 128, 192, 32, 96, 64});
  b.max_pool("pool3", 3, 0, true);
  inception(b, "inception4a", {192, 96, 208, 16, 48, 64});
  inception(b, "inception4b", {160, 112, 224, 24, 64, 64});
  inception(b, "inception4c", {128, 128, 256, 24, 64, 64});
  inception(b, "inception4d", {112, 144, 288, 32, 64, 64});
  inception(b, "inception4e", {256, 160, 320, 32, 128, 128});
  b.max_pool("pool4", 2, 0, true);
  inception(b, "inception5a", {256, 160, 320, 32, 128, 128});
  inception(b, "inception5b", {384, 192, 384, 48, 128, 128});
  b.pool_and_flatten();
  return b.finish();
}

}  // namespace nestling::zoo
