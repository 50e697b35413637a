// SqueezeNet 1.1 (Iandola et al., arXiv 1602.07360, and its repository); it has no batch norm.
#include <fmt/format.h>

#include "graph/zoo/builder.h"

namespace nestling::zoo {
namespace {

void conv_relu(Builder& b, const std::string& name, Builder::Layer layer) {
  layer.bias = true;
  b.conv(name, layer);
  b.relu(name + ".relu");
}

void fire(Builder& b, const std::string& name, int64_t squeezed, int64_t filters) {
  conv_relu(b, name + ".squeeze", {.filters = b.filters(squeezed)});
  const ValueId squeeze = b.x();
  conv_relu(b, name + ".expand1x1", {.filters = b.filters(filters)});
  const ValueId left = b.x();
  b.go_on_from(squeeze);
  conv_relu(b, name + ".expand3x3", {.filters = b.filters(filters), .kernel = 3});
  b.concat(name + ".concat", {left, b.x()});
}

}  // namespace

Graph squeezenet1_1(Builder b) {
  b.leave_out_halvings();
  conv_relu(b, "conv1", {.filters = b.filters(64), .kernel = 3, .stride = 2, .padding = 0});
  int count = 1;
  for (const auto& fires : {std::pair{16, 64}, std::pair{32, 128}}) {
    b.max_pool(fmt::format("pool{}", count), 3, 0, true);
    for (int i = 0; i < 2; ++i) fire(b, fmt::format("fire{}", ++count), fires.first, fires.second);
  }
  b.max_pool(fmt::format("pool{}", count), 3, 0, true);
  for (const auto& [squeezed, filters] :
       {std::pair{48, 192}, std::pair{48, 192}, std::pair{64, 256}, std::pair{64, 256}}) {
    fire(b, fmt::format("fire{}", ++count), squeezed, filters);
  }
  conv_relu(b, "head", {.filters = b.classes()});
  b.pool_and_flatten();
  return b.finish_with_logits();
}

}  // namespace nestling::zoo
