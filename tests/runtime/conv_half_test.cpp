// Convolutions in float16 of all windows against sums in double precision. Needs a processor that
// computes so.
#include "runtime/conv_half.h"

#include "support/convolution.h"

using nestling::Random;
using namespace nestling::runtime;

TEST_CASE("convolutions in float16 of random windows") {
  REQUIRE(computes_halves());
  constexpr uint64_t kSeed = 29;
  INFO("seed " << kSeed);
  Random random(kSeed);
  const auto one_to = [&](uint32_t most) { return 1 + static_cast<uint32_t>(random.below(most)); };
  for (int i = 0; i < 60; ++i) {
    NodeSpec window;
    window.kernel = {one_to(4), one_to(4)};
    window.stride = {one_to(2), one_to(2)};
    window.dilation = {one_to(2), one_to(2)};
    for (uint32_t& p : window.padding) p = one_to(3) - 1;
    // More channels than are summed in float16.
    const Image x{nullptr, 7 + random.below(9), 7 + random.below(9), one_to(300), 0};
    const test::Convolution convolution(window, x, false, random, true);
    INFO(x.height << "x" << x.width << "x" << x.channels << " to " << convolution.y.channels);
    // An error of 2^-12 for each of some hundred sums, most of which cancel each other.
    constexpr float kTolerance = 0.03F;
    const auto run = [&](const ConvTask& task) {
      const test::GuardedScratch image(half_floats(task), 7.0F);
      auto* halves = reinterpret_cast<uint16_t*>(image.data());
      const size_t pixels = task.x.height * task.x.width, split = random.below(pixels);
      half_inputs(task, split, pixels, halves);
      half_inputs(task, 0, split, halves);
      const test::GuardedScratch scratch(half_scratch(task), 7.0F);
      const size_t count = task.y.height * task.y.width, groups = half_groups(task);
      const size_t block = kHalfTile * one_to(kConvTiles), cut = random.below(groups + 1);
      for (size_t from = 0; from < count; from += block) {
        const size_t to = std::min(from + block, count);
        conv_half(task, {from, to, cut, groups}, halves, scratch.data());
        conv_half(task, {from, to, 0, cut}, halves, scratch.data());
      }
      image.check();
      scratch.check();
    };
    convolution.check(run, kTolerance);
  }
}
