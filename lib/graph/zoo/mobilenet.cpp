// MobileNets: Howard et al., arXiv 1704.04861; Sandler et al., CVPR 2018; Howard et al., ICCV 2019.
// EfficientNet-B0: Tan and Le, ICML 2019. All but the first are made of inverted residuals.
#include <algorithm>
#include <fmt/format.h>

#include "graph/zoo/builder.h"

namespace nestling::zoo {
namespace {

enum class Act { relu, relu6, hard_swish, silu };

void act(Builder& b, const std::string& name, Act function) {
  switch (function) {
    case Act::relu:
      return b.relu(name);
    case Act::relu6:
      return b.activation(name, clip(0, 6));
    case Act::hard_swish:
      return b.activation(name, {Unary::Function::hard_swish});
    case Act::silu:
      return b.silu(name);
  }
}

void conv_bn_act(Builder& b, const std::string& name, const Builder::Layer& layer, Act function) {
  b.conv_bn(name, layer);
  act(b, name + ".act", function);
}

void depthwise(Builder& b, const std::string& name, int64_t kernel, int64_t stride, Act function) {
  conv_bn_act(b, name,
              {.filters = b.channels(), .kernel = kernel, .stride = stride, .groups = b.channels()},
              function);
}

// Hu et al., CVPR 2018: channels are scaled by what two layers make of their means.
void squeeze_and_excite(Builder& b, const std::string& name, int64_t squeezed, Act inner,
                        const Unary& gate) {
  const ValueId x = b.x();
  const int64_t channels = b.channels();
  b.node(name + ".pool", global_average_pool(), {x});
  b.conv(name + ".reduce", {.filters = squeezed, .bias = true});
  act(b, name + ".reduce.act", inner);
  b.conv(name + ".expand", {.filters = channels, .bias = true});
  b.activation(name + ".gate", gate);
  b.node(name, kMul, {x, b.x()});
}

struct Inverted {
  int64_t expanded = 0;  // channels between; none of its own if they are the input's
  int64_t filters = 0;
  int64_t kernel = 3;
  int64_t stride = 1;
  Act function = Act::relu6;
  int64_t squeezed = 0;  // 0: no squeeze-and-excitation
  Act inner = Act::relu;
  Unary gate = {};
};

void inverted_residual(Builder& b, const std::string& name, const Inverted& block) {
  const ValueId input = b.x();
  const int64_t inputs = b.channels();
  if (block.expanded != inputs) {
    conv_bn_act(b, name + ".expand", {.filters = block.expanded}, block.function);
  }
  depthwise(b, name + ".depthwise", block.kernel, block.stride, block.function);
  if (block.squeezed > 0) {
    squeeze_and_excite(b, name + ".se", block.squeezed, block.inner, block.gate);
  }
  b.conv_bn(name + ".project", {.filters = block.filters});
  if (block.stride == 1 && block.filters == inputs) b.add(name + ".add", input);
}

constexpr Unary kHardSigmoid{Unary::Function::hard_sigmoid, 1.0F / 6, 0.5F};

}  // namespace

Graph mobilenet_v1(Builder b) {
  b.leave_out_halvings();
  b.conv_bn_relu("conv1", {.filters = b.filters(32), .kernel = 3, .stride = 2});
  const int64_t filters[] = {64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024};
  for (size_t i = 0; i < std::size(filters); ++i) {
    const std::string name = fmt::format("block{}", i + 1);
    const bool halves = i == 1 || i == 3 || i == 5 || i == 11;
    depthwise(b, name + ".depthwise", 3, halves ? 2 : 1, Act::relu);
    b.conv_bn_relu(name + ".pointwise", {.filters = b.filters(filters[i])});
  }
  b.pool_and_flatten();
  return b.finish();
}

Graph mobilenet_v2(Builder b) {
  b.leave_out_halvings();
  conv_bn_act(b, "conv1", {.filters = b.filters(32), .kernel = 3, .stride = 2}, Act::relu6);
  struct Stage {
    int64_t factor, filters;
    int blocks;
    int64_t stride;
  };
  int count = 0;
  for (const Stage& stage :
       {Stage{1, 16, 1, 1}, Stage{6, 24, 2, 2}, Stage{6, 32, 3, 2}, Stage{6, 64, 4, 2},
        Stage{6, 96, 3, 1}, Stage{6, 160, 3, 2}, Stage{6, 320, 1, 1}}) {
    for (int i = 0; i < stage.blocks; ++i) {
      inverted_residual(b, fmt::format("block{}", ++count),
                        {.expanded = stage.factor * b.channels(),
                         .filters = b.filters(stage.filters),
                         .stride = i == 0 ? stage.stride : 1});
    }
  }
  conv_bn_act(b, "conv2", {.filters = b.filters(1280)}, Act::relu6);
  b.pool_and_flatten();
  return b.finish();
}

Graph mobilenet_v3_small(Builder b) {
  b.leave_out_halvings();
  conv_bn_act(b, "conv1", {.filters = b.filters(16), .kernel = 3, .stride = 2}, Act::hard_swish);
  struct Row {
    int64_t kernel, expanded, filters;
    bool squeeze;
    Act function;
    int64_t stride;
  };
  constexpr Act kRe = Act::relu, kHs = Act::hard_swish;
  int count = 0;
  for (const Row& row :
       {Row{3, 16, 16, true, kRe, 2}, Row{3, 72, 24, false, kRe, 2}, Row{3, 88, 24, false, kRe, 1},
        Row{5, 96, 40, true, kHs, 2}, Row{5, 240, 40, true, kHs, 1}, Row{5, 240, 40, true, kHs, 1},
        Row{5, 120, 48, true, kHs, 1}, Row{5, 144, 48, true, kHs, 1}, Row{5, 288, 96, true, kHs, 2},
        Row{5, 576, 96, true, kHs, 1}, Row{5, 576, 96, true, kHs, 1}}) {
    const int64_t expanded = b.filters(row.expanded);
    inverted_residual(
        b, fmt::format("block{}", ++count),
        {.expanded = expanded,
         .filters = b.filters(row.filters),
         .kernel = row.kernel,
         .stride = row.stride,
         .function = row.function,
         .squeezed = row.squeeze ? std::max<int64_t>(8, (expanded / 4 + 4) / 8 * 8) : 0,
         .gate = kHardSigmoid});
  }
  conv_bn_act(b, "conv2", {.filters = b.filters(576)}, Act::hard_swish);
  b.pool_and_flatten();
  b.fully_connected("hidden", b.filters(1024));
  act(b, "hidden.act", Act::hard_swish);
  return b.finish();
}

Graph efficientnet_b0(Builder b) {
  b.leave_out_halvings();
  conv_bn_act(b, "conv1", {.filters = b.filters(32), .kernel = 3, .stride = 2}, Act::silu);
  struct Stage {
    int64_t factor, kernel, stride, filters;
    int blocks;
  };
  int count = 0;
  for (const Stage& stage :
       {Stage{1, 3, 1, 16, 1}, Stage{6, 3, 2, 24, 2}, Stage{6, 5, 2, 40, 2}, Stage{6, 3, 2, 80, 3},
        Stage{6, 5, 1, 112, 3}, Stage{6, 5, 2, 192, 4}, Stage{6, 3, 1, 320, 1}}) {
    for (int i = 0; i < stage.blocks; ++i) {
      const int64_t inputs = b.channels();
      inverted_residual(b, fmt::format("block{}", ++count),
                        {.expanded = stage.factor * inputs,
                         .filters = b.filters(stage.filters),
                         .kernel = stage.kernel,
                         .stride = i == 0 ? stage.stride : 1,
                         .function = Act::silu,
                         .squeezed = std::max<int64_t>(1, inputs / 4),
                         .inner = Act::silu,
                         .gate = {Unary::Function::sigmoid}});
    }
  }
  conv_bn_act(b, "conv2", {.filters = b.filters(1280)}, Act::silu);
  b.pool_and_flatten();
  return b.finish();
}

}  // namespace nestling::zoo
