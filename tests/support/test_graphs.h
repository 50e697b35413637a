// Small networks with random weights for tests.
#pragma once

#include <cmath>
#include <string>

#include "base/random.h"
#include "graph/graph.h"

namespace test {

inline nestling::Tensor random_tensor(nestling::Shape shape, nestling::Random& random,
                                      double deviation = 1) {
  nestling::Tensor tensor{std::move(shape), {}};
  tensor.data.resize(static_cast<size_t>(nestling::element_count(tensor.shape)));
  for (float& v : tensor.data) v = static_cast<float>(random.normal() * deviation);
  return tensor;
}

// Appends layers with random weights to a graph.
struct Builder {
  nestling::Graph graph;
  nestling::Random random;

  explicit Builder(uint64_t seed, nestling::Shape input = {nestling::kBatch, 3, 8, 8})
      : random(seed) {
    graph.name = "test";
    graph.inputs = {graph.add_value("input", std::move(input))};
  }
  nestling::ValueId input() const { return graph.inputs[0]; }
  int64_t channels(nestling::ValueId x) const { return graph.value(x).shape[1]; }
  nestling::ValueId constant(const std::string& name, nestling::Shape shape, double deviation) {
    return graph.add_constant(name, random_tensor(std::move(shape), random, deviation));
  }
  nestling::ValueId conv(const std::string& name, nestling::ValueId x, int64_t filters,
                         nestling::Conv op, bool bias = true, int64_t groups = 1) {
    const int64_t inputs = channels(x) / groups;
    const double deviation =
        1 / std::sqrt(static_cast<double>(inputs * op.kernel[0] * op.kernel[1]));
    std::vector<nestling::ValueId> in = {
        x, constant(name + ".weight", {filters, inputs, op.kernel[0], op.kernel[1]}, deviation)};
    if (bias) in.push_back(constant(name + ".bias", {filters}, 0.5));
    return nestling::add_node(graph, name, op, in);
  }
  nestling::ValueId conv3x3(const std::string& name, nestling::ValueId x, int64_t filters,
                            int64_t stride = 1) {
    return conv(name, x, filters,
                {.kernel = {3, 3}, .stride = {stride, stride}, .padding = {1, 1, 1, 1}}, false);
  }
  nestling::ValueId batch_norm(const std::string& name, nestling::ValueId x) {
    const int64_t c = channels(x);
    std::vector<nestling::ValueId> in = {
        x, constant(name + ".scale", {c}, 1), constant(name + ".shift", {c}, 0.5),
        constant(name + ".mean", {c}, 0.5), constant(name + ".variance", {c}, 1)};
    for (float& v : graph.constant(in[4]).data) v = 0.1F + std::abs(v);
    return nestling::add_node(graph, name, nestling::BatchNorm{}, in);
  }
  nestling::ValueId conv_bn_relu(const std::string& name, nestling::ValueId x, int64_t filters,
                                 int64_t stride = 1) {
    x = batch_norm(name + ".bn", conv3x3(name, x, filters, stride));
    return nestling::add_node(graph, name + ".relu", nestling::kRelu, {x});
  }
  nestling::ValueId node(const std::string& name, nestling::Op op,
                         std::vector<nestling::ValueId> in) {
    return nestling::add_node(graph, name, std::move(op), std::move(in));
  }
  nestling::ValueId gemm(const std::string& name, nestling::ValueId x, int64_t filters) {
    const double deviation = 1 / std::sqrt(static_cast<double>(channels(x)));
    return node(name, nestling::Gemm{},
                {x, constant(name + ".weight", {filters, channels(x)}, deviation),
                 constant(name + ".bias", {filters}, 0.5)});
  }
  nestling::Graph finish(nestling::ValueId output) {
    graph.outputs = {output};
    return graph;
  }
};

// Convolutions, a residual sum with a projection, pooling, a flatten that multiplies channels, two
// fully connected layers.
inline nestling::Graph residual_network(uint64_t seed) {
  Builder b(seed);
  const auto stem = b.conv_bn_relu("conv1", b.input(), 6);
  const auto pooled = b.node("pool", nestling::MaxPool{.kernel = {2, 2}, .stride = {2, 2}}, {stem});
  const auto inner = b.conv_bn_relu("conv2", pooled, 5);
  const auto outer = b.batch_norm("conv3.bn", b.conv3x3("conv3", inner, 6));
  const auto sum = b.node("add", nestling::kAdd, {outer, pooled});
  const auto relu = b.node("relu", nestling::kRelu, {sum});
  const auto last =
      b.conv("conv4", relu, 7, {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}});
  const auto flat = b.node("flatten", nestling::flatten(), {last});
  const auto hidden = b.node("hidden.relu", nestling::kRelu, {b.gemm("hidden", flat, 9)});
  return b.finish(b.gemm("head", hidden, 4));
}

// A chain of convolutions with a global average pool, as the zoo's small nets.
inline nestling::Graph chain_network(uint64_t seed) {
  Builder b(seed);
  auto x = b.conv_bn_relu("conv1", b.input(), 8);
  x = b.conv_bn_relu("conv2", x, 12, 2);
  x = b.conv_bn_relu("conv3", x, 10);
  x = b.node("pool", nestling::global_average_pool(), {x});
  x = b.node("flatten", nestling::flatten(), {x});
  return b.finish(b.gemm("head", x, 4));
}

// A depthwise and a dilated convolution, a concatenation, every pooling.
inline nestling::Graph every_op_network(uint64_t seed) {
  Builder b(seed);
  const auto stem = b.conv_bn_relu("conv1", b.input(), 6);
  const auto depthwise =
      b.conv("depthwise", stem, 6, {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}, true, 6);
  const auto clip = b.node("clip", nestling::clip(0, 1.5F), {depthwise});
  const auto dilated =
      b.conv("dilated", clip, 5, {.kernel = {3, 3}, .dilation = {2, 2}, .padding = {2, 2, 2, 2}});
  const auto joined = b.node("concat", nestling::Concat{}, {dilated, stem});
  const auto average = b.node(
      "average", nestling::AveragePool{.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}},
      {joined});
  const auto max =
      b.node("max", nestling::MaxPool{.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}},
             {joined});
  const auto sum = b.node("add", nestling::kAdd, {average, max});
  const auto flat = b.node("flatten", nestling::flatten(),
                           {b.node("gap", nestling::global_average_pool(), {sum})});
  return b.finish(b.node("softmax", nestling::Softmax{}, {b.gemm("head", flat, 4)}));
}

// What newer networks are made of: squeeze-and-excitation, grouped convolutions with a channel
// shuffle, other activations, a split, a transposed convolution, a depth to space, resized and
// padded sums.
inline nestling::Graph modern_network(uint64_t seed) {
  using nestling::Unary;
  Builder b(seed);
  const auto stem = b.conv_bn_relu("conv1", b.input(), 8);
  const auto squeezed = b.node("squeeze", nestling::global_average_pool(), {stem});
  const auto reduced = b.node("reduce.relu", nestling::kRelu, {b.conv("reduce", squeezed, 3, {})});
  const auto gate =
      b.node("gate", Unary{Unary::Function::sigmoid}, {b.conv("expand", reduced, 8, {})});
  const auto excited = b.node("excited", nestling::kMul, {stem, gate});
  const nestling::Conv same{.kernel = {3, 3}, .padding = {1, 1, 1, 1}};
  const auto grouped = b.conv("grouped", excited, 12, same, true, 2);
  const auto shuffled = b.node("shuffle", nestling::Shuffle{2}, {grouped});
  const auto again = b.conv("again", shuffled, 8, same, true, 2);
  const auto slope = b.constant("prelu.slope", {8, 1, 1}, 0.3);
  const auto prelu =
      b.node("prelu", nestling::Binary{nestling::Binary::Function::prelu}, {again, slope});
  const auto down = b.node("pool", nestling::MaxPool{.kernel = {2, 2}, .stride = {2, 2}}, {prelu});
  const auto swish =
      b.node("swish", Unary{Unary::Function::hard_swish}, {b.conv("conv2", down, 12, {})});
  const auto large = b.node("space", nestling::DepthToSpace{2, false}, {swish});
  const auto side = b.node("side", nestling::ConvTranspose{.kernel = {2, 2}, .stride = {2, 2}},
                           {down, b.constant("side.weight", {8, 3, 2, 2}, 0.3)});
  const auto sum = b.node("sum", nestling::kAdd, {large, side});
  const auto left = b.node("left", nestling::Slice{{1}, {0}, {3}, {1}}, {excited});
  const auto right = b.node("right", nestling::Slice{{1}, {3}, {8}, {1}}, {excited});
  const auto back = b.node("back", nestling::Concat{}, {b.conv("worked", right, 4, {}), left});
  const auto joined = b.node("joined", nestling::Concat{}, {sum, back});
  const auto last = b.conv_bn_relu("last", joined, 6, 2);
  const auto flat = b.node("flatten", nestling::flatten(), {last});
  return b.finish(b.gemm("head", flat, 4));
}

// Layers of 256 channels that are strided, or cannot be because of who else reads or writes them.
inline nestling::Graph wide_network(uint64_t seed) {
  Builder b(seed, {nestling::kBatch, 8, 6, 5});
  const nestling::Conv one{.kernel = {1, 1}};
  const auto stem = b.node("stem.relu", nestling::kRelu, {b.conv("stem", b.input(), 256, one)});
  const auto depthwise =
      b.conv("depthwise", stem, 256, {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}, true, 256);
  const auto sum = b.node("sum", nestling::kAdd, {b.conv("conv", depthwise, 256, one), stem});
  const auto left = b.conv3x3("left", sum, 128), right = b.conv("right", sum, 128, one);
  const auto joined = b.node("joined", nestling::Concat{}, {left, right});
  const auto pooled =
      b.node("pooled", nestling::MaxPool{.kernel = {2, 2}, .stride = {1, 1}}, {joined});
  const auto bent = b.node("bent", nestling::Unary{nestling::Unary::Function::sigmoid}, {pooled});
  return b.finish(b.conv("end", bent, 256, one));
}

}  // namespace test
