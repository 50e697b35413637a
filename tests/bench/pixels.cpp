// What it takes to make a network's input, 3x224x224 cut out of a shorter side of 256, of a
// camera's picture: the least of some runs.
#include "runtime/pixels.h"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "seconds.h"

namespace {

template <typename F>
double least_ms(const F& work) {
  double least = std::numeric_limits<double>::max();
  for (int run = 0; run < 20; ++run) {
    least = std::min(least, bench::milliseconds(work));
  }
  return least;
}

}  // namespace

int main() {
  using namespace nestling::runtime;
  constexpr PixelTarget kTarget{3, 224, 224, 256};
  std::vector<uint8_t> bytes(size_t{3} * 224 * 224);
  std::vector<float> input(bytes.size());
  const std::vector<float> mean{0.485F, 0.456F, 0.406F}, deviation{0.229F, 0.224F, 0.225F};
  for (const auto& [width, height] : {std::pair{640U, 480U}, {1280U, 720U}, {1920U, 1080U}}) {
    const std::vector<uint8_t> picture(size_t{3} * width * height, 100);
    const double scaling = least_ms([&] {
      (void)scale_pixels({picture.data(), width, height}, kTarget, bytes.data());
    });
    const double normalising = least_ms(
        [&] { normalise_pixels(bytes.data(), bytes.size(), mean, deviation, input.data()); });
    std::printf("%ux%u: scaled in %.2f ms, normalised in %.2f ms\n", width, height, scaling,
                normalising);
  }
}
