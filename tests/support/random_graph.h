// Random convolutional networks, of everything that ties channels to each other.
#pragma once

#include <cstdlib>
#include <vector>

#include "support/catch.h"
#include "support/test_graphs.h"

namespace test {

// A network on images of 3 channels: a stem, a few random steps (residual sums, dense
// concatenations, splits with one half worked on, depthwise and grouped convolutions,
// squeeze-and-excitation, shuffles, norms of groups and of channels, other activations, poolings,
// transposed convolutions), and one or two fully connected layers behind a flatten or a global
// pooling. All weights are random; equal seeds give equal networks.
class RandomNetwork {
 public:
  RandomNetwork(uint64_t seed, int64_t extent) : b_(seed, {nestling::kBatch, 3, extent, extent}) {}

  nestling::Graph build() {
    using nestling::ValueId;
    ValueId x = conv_bn_relu(b_.input(), width());
    const uint64_t steps = 2 + b_.random.below(4);
    for (uint64_t step = 0; step < steps; ++step) x = this->step(x);
    if (b_.random.below(2) == 0) x = b_.node(name("pool"), nestling::global_average_pool(), {x});
    x = b_.node(name("flatten"), nestling::flatten(), {x});
    if (b_.random.below(2) == 0) {
      x = b_.node(name("relu"), nestling::kRelu, {b_.gemm(name("hidden"), x, width())});
    }
    return b_.finish(b_.gemm("head", x, 4));
  }

 private:
  using ValueId = nestling::ValueId;

  std::string name(const std::string& kind) { return kind + std::to_string(++count_); }
  int64_t width() { return 4 + 2 * static_cast<int64_t>(b_.random.below(5)); }
  static constexpr std::array<int64_t, 4> kSame{1, 1, 1, 1};

  ValueId conv_bn_relu(ValueId x, int64_t filters) {
    return b_.conv_bn_relu(name("conv"), x, filters);
  }
  ValueId pointwise(ValueId x, int64_t filters) { return b_.conv(name("point"), x, filters, {}); }
  ValueId activation(ValueId x) {
    using F = nestling::Unary::Function;
    const F functions[] = {F::relu, F::sigmoid, F::tanh, F::hard_swish, F::mish, F::gelu};
    return b_.node(name("act"), nestling::Unary{functions[b_.random.below(6)]}, {x});
  }
  ValueId part(ValueId x, int64_t begin, int64_t end) {
    return b_.node(name("slice"), nestling::Slice{{1}, {begin}, {end}, {1}}, {x});
  }

  ValueId step(ValueId x) {
    const int64_t c = b_.channels(x);
    switch (b_.random.below(11)) {
      case 0: {  // residual
        const ValueId y = b_.batch_norm(name("norm"), pointwise(conv_bn_relu(x, width()), c));
        return b_.node(name("relu"), nestling::kRelu,
                       {b_.node(name("sum"), nestling::kAdd, {y, x})});
      }
      case 1:  // dense
        return b_.node(name("concat"), nestling::Concat{}, {x, conv_bn_relu(x, width())});
      case 2: {  // split, one part worked on
        const int64_t at = 1 + static_cast<int64_t>(b_.random.below(static_cast<uint64_t>(c - 1)));
        const ValueId left = part(x, 0, at), right = part(x, at, c);
        const ValueId worked = pointwise(conv_bn_relu(right, width()), width());
        return b_.node(name("concat"), nestling::Concat{}, {worked, left});
      }
      case 3: {  // ShuffleNet's unit
        if (c % 2 != 0) return activation(x);
        const ValueId left = part(x, 0, c / 2), right = part(x, c / 2, c);
        const ValueId both =
            b_.node(name("concat"), nestling::Concat{}, {left, pointwise(right, c / 2)});
        return b_.node(name("shuffle"), nestling::Shuffle{2}, {both});
      }
      case 4:  // depthwise, at times with two filters a channel
        return b_.conv(name("depthwise"), x, c * (1 + static_cast<int64_t>(b_.random.below(2))),
                       {.kernel = {3, 3}, .padding = kSame}, true, c);
      case 5: {  // grouped
        if (c % 2 != 0 || c < 4) return activation(x);
        return b_.conv(name("grouped"), x, width(), {.kernel = {3, 3}, .padding = kSame}, true, 2);
      }
      case 6: {  // squeeze-and-excitation
        const ValueId pooled = b_.node(name("squeeze"), nestling::global_average_pool(), {x});
        const ValueId reduced = b_.node(name("relu"), nestling::kRelu, {pointwise(pooled, 3)});
        return b_.node(name("excited"), nestling::kMul, {x, activation(pointwise(reduced, c))});
      }
      case 7:
        if (b_.random.below(4) == 0) return b_.node(name("norm"), nestling::ChannelNorm{}, {x});
        if (c % 2 != 0) return activation(x);
        return b_.node(name("norm"), nestling::GroupNorm{c % 4 == 0 ? c / 4 : c / 2}, {x});
      case 8: {  // slopes
        const ValueId slope = b_.constant(name("slope"), {c, 1, 1}, 0.3);
        return b_.node(name("prelu"), nestling::Binary{nestling::Binary::Function::prelu},
                       {x, slope});
      }
      case 9: {  // down and up again
        if (b_.graph.value(x).shape[2] < 4) return activation(x);
        const ValueId down =
            b_.node(name("pool"), nestling::MaxPool{.kernel = {2, 2}, .stride = {2, 2}}, {x});
        if (b_.random.below(2) == 0) return down;
        const ValueId weight = b_.constant(name("up.weight"), {c, c, 2, 2}, 0.2);
        const ValueId up =
            b_.node(name("up"), nestling::ConvTranspose{.kernel = {2, 2}, .stride = {2, 2}},
                    {down, weight});
        return b_.node(name("sum"), nestling::kAdd, {up, x});
      }
      default: {  // sub-pixels
        const ValueId wide = pointwise(x, 4 * width());
        const ValueId large = b_.node(name("space"), nestling::DepthToSpace{2, false}, {wide});
        return b_.node(name("pool"), nestling::MaxPool{.kernel = {2, 2}, .stride = {2, 2}},
                       {large});
      }
    }
  }

  Builder b_;
  int count_ = 0;
};

inline nestling::Graph random_network(uint64_t seed, int64_t extent = 8) {
  return RandomNetwork(seed, extent).build();
}

// Calls test(network, seed) for `count` networks. NESTLING_RANDOM_GRAPHS=10000 NESTLING_SEED=1
// build/dev/tests/graph/test_graph "[random]" runs as many, from that seed on.
template <typename Test>
void for_random_networks(uint64_t count, int64_t extent, const Test& test) {
  const auto number = [](const char* variable, uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
  };
  const uint64_t first = number("NESTLING_SEED", 1000);
  for (uint64_t i = 0; i < number("NESTLING_RANDOM_GRAPHS", count); ++i) {
    const uint64_t seed = first + i;
    INFO("NESTLING_SEED=" << seed);
    test(random_network(seed, extent), seed);
  }
}

}  // namespace test
