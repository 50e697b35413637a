// Convolutions by Winograd's transforms against sums in double precision, on every instruction set.
#include "runtime/winograd.h"

#include <list>

#include "support/convolution.h"
#include "support/targets.h"

using nestling::Random;
using namespace nestling::runtime;

TEST_CASE("convolutions by Winograd's transforms are convolutions") {
  const uint64_t seed = 31;
  INFO("seed " << seed);
  Random random(seed);
  std::list<test::Convolution> convolutions;
  for (int i = 0; i < 25; ++i) {
    NodeSpec node;
    node.kernel = {3, 3};
    for (uint32_t& p : node.padding) p = static_cast<uint32_t>(random.below(3));
    const Image x{nullptr, 3 + random.below(18), 3 + random.below(18), 1 + random.below(150), 0};
    convolutions.emplace_back(node, x, false, random);
  }
  test::for_each_instruction_set([&] {
    for (const test::Convolution& convolution : convolutions) {
      INFO(convolution.x.height << "x" << convolution.x.width << "x" << convolution.x.channels
                                << " to " << convolution.y.channels);
      convolution.check([&](const ConvTask& task) {
        const size_t groups = conv_groups(task);
        // What earlier layers left there must not matter.
        const float junk = std::numeric_limits<float>::quiet_NaN();
        const test::GuardedScratch shared(winograd_scratch(task), junk);
        const test::GuardedScratch scratch(winograd_scratch(task), junk);
        const size_t block = 1 + random.below(winograd_block(task));
        const size_t cut = random.below(groups + 1);
        for (size_t from = 0; from < winograd_tiles(task); from += block) {
          const size_t to = std::min(from + block, winograd_tiles(task));
          const WinogradBlock tiles{from, to};
          const size_t between = from + random.below(to - from + 1);
          winograd_inputs(task, tiles, between, to, shared.data());
          winograd_inputs(task, tiles, from, between, shared.data());
          winograd_groups(task, tiles, 0, cut, shared.data(), scratch.data());
          winograd_groups(task, tiles, cut, groups, shared.data(), shared.data());
        }
        shared.check();
        scratch.check();
      });
    }
  });
}

TEST_CASE("Winograd's transforms are for whole windows of 3x3 that are many enough") {
  NodeSpec node;
  node.kernel = {3, 3};
  ConvTask task{};
  task.node = &node;
  task.x = {nullptr, 56, 56, 64, 64};
  task.y = task.x;
  CHECK(winograd_pays(task));
  task.x = {nullptr, 2, 2, 512, 512};
  task.y = task.x;
  CHECK_FALSE(winograd_pays(task));
  task.x = {nullptr, 56, 56, 3, 3};  // it costs more to transform than to multiply
  task.y = task.x;
  CHECK_FALSE(winograd_pays(task));
  task.x = {nullptr, 56, 56, 64, 64};
  task.y = {nullptr, 28, 28, 64};
  node.stride = {2, 2};
  CHECK_FALSE(winograd_pays(task));
  node.stride = {1, 1};
  node.dilation = {2, 2};
  CHECK_FALSE(winograd_pays(task));
}
