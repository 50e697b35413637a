// Convolutions of all windows against sums in double precision, on every instruction set.
#include <list>

#include "support/convolution.h"
#include "support/targets.h"

using nestling::Random;
using namespace nestling::runtime;

namespace {

uint32_t below(Random& random, uint32_t bound) {
  return static_cast<uint32_t>(random.below(bound));
}

// Windows that kernels of their own are for, and others.
NodeSpec window(Random& random) {
  NodeSpec node;
  const uint32_t size = 1 + below(random, 5), stride = 1 + below(random, 2);
  node.kernel = {size, size};
  node.stride = {stride, stride};
  if (random.below(4) == 0) node.kernel[1] = 1 + below(random, 7);
  if (random.below(4) == 0) node.stride[1] = 3;
  if (random.below(4) == 0) node.dilation = {1 + below(random, 2), 1 + below(random, 2)};
  for (uint32_t& p : node.padding) p = below(random, 4);
  return node;
}

Image image(Random& random, size_t channels) {
  return {nullptr, 13 + random.below(12), 13 + random.below(12), 1 + random.below(channels), 0};
}

// `count` of them, of at most most_channels(i) input channels.
template <typename MostChannels>
void check(uint64_t seed, int count, bool depthwise_ones, const MostChannels& most_channels) {
  INFO("seed " << seed);
  Random random(seed);
  std::list<test::Convolution> convolutions;
  for (int i = 0; i < count; ++i) {
    const Image x = image(random, most_channels(i));
    convolutions.emplace_back(window(random), x, depthwise_ones, random);
  }
  test::for_each_instruction_set([&] {
    for (const test::Convolution& convolution : convolutions) {
      const NodeSpec& node = convolution.node;
      INFO(convolution.x.height << "x" << convolution.x.width << "x" << convolution.x.channels
                                << " to " << convolution.y.channels << ", " << node.kernel[0] << "x"
                                << node.kernel[1] << "/" << node.stride[0] << "x"
                                << node.stride[1]);
      convolution.check([&](const ConvTask& task) {
        const test::GuardedScratch scratch(conv_scratch(task), 7.0F);
        const size_t pixels = task.y.height * task.y.width;
        const size_t block = conv_tile() * (1 + random.below(kConvTiles));
        const size_t groups = convolution.depthwise ? 0 : conv_groups(task);
        const size_t cut = random.below(groups + 1);
        for (size_t from = 0; from < pixels; from += block) {
          const size_t to = std::min(from + block, pixels);
          if (convolution.depthwise) {
            depthwise(task, from, to, task.y.data + from * task.y.stride, scratch.data());
          } else {
            conv(task, {from, to, 0, cut}, scratch.data());
            conv(task, {from, to, cut, groups}, scratch.data());
          }
        }
        scratch.check();
      });
    }
  });
}

}  // namespace

TEST_CASE("convolutions of all windows") {
  // Few channels have a way of their own.
  check(32, 40, false, [](int i) { return size_t{i % 2 == 0 ? 9U : 80U}; });
}

TEST_CASE("convolutions with more weights than are kept for the next tiles") {
  check(34, 8, false, [](int) { return size_t{300}; });
}

TEST_CASE("depthwise convolutions of all windows") {
  check(33, 60, true, [](int) { return size_t{80}; });
}
