#include "runtime/pixels.h"

#include <algorithm>
#include <cmath>

#include "support/catch.h"

#include "base/random.h"

using namespace nestling::runtime;

namespace {

std::vector<uint8_t> scaled(const PixelView& image, const PixelTarget& target) {
  std::vector<uint8_t> to(size_t{target.channels} * target.height * target.width);
  REQUIRE(scale_pixels(image, target, to.data()).ok());
  return to;
}

std::vector<uint8_t> some_bytes(nestling::Random& random, size_t count) {
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.below(256));
  return bytes;
}

// One pixel of a line of `from` pixels that is scaled to `to`; at(j) is a pixel of the line.
template <typename At>
double triangle(uint32_t from, uint32_t to, size_t i, const At& at) {
  const double scale = static_cast<double>(from) / to, reach = std::max(scale, 1.0);
  const double centre = (static_cast<double>(i) + 0.5) * scale;
  double sum = 0, weights = 0;
  for (uint32_t j = 0; j < from; ++j) {
    const double weight = std::max(0.0, 1 - std::abs(j + 0.5 - centre) / reach);
    sum += weight * at(j);
    weights += weight;
  }
  return sum / weights;
}

// The whole image scaled in real numbers, rounded after each direction, then cut; bytes of
// [channel, row, column] for three colours.
std::vector<int> expected_of(const std::vector<uint8_t>& rgb, const PixelView& image,
                             const PixelTarget& target) {
  const uint32_t shorter = std::min(image.width, image.height);
  const auto scaled_side = [&](uint32_t side, uint32_t wanted) {
    return std::max(wanted, side * target.resize / shorter);
  };
  const uint32_t height = scaled_side(image.height, target.height);
  const uint32_t width = scaled_side(image.width, target.width);
  const size_t top = (height - target.height) / 2, left = (width - target.width) / 2;
  std::vector<int> to;
  for (size_t c = 0; c < 3; ++c) {
    for (size_t i = 0; i < target.height; ++i) {
      for (size_t j = 0; j < target.width; ++j) {
        const auto row = [&](uint32_t y) {
          return std::round(triangle(image.width, width, left + j, [&](uint32_t x) {
            return static_cast<double>(rgb[(size_t{y} * image.width + x) * 3 + c]);
          }));
        };
        to.push_back(static_cast<int>(std::lround(triangle(image.height, height, top + i, row))));
      }
    }
  }
  return to;
}

}  // namespace

TEST_CASE("every order of a pixel's bytes, and rows with gaps, are the same image") {
  nestling::Random random(7);
  constexpr uint32_t kHeight = 5, kWidth = 7;
  const std::vector<uint8_t> rgb = some_bytes(random, size_t{3} * kHeight * kWidth);
  for (const uint32_t channels : {1U, 3U}) {
    const PixelTarget target{channels, 4, 9, 6};
    const auto expected = scaled({rgb.data(), kWidth, kHeight}, target);
    for (const auto format :
         {PixelFormat::rgb, PixelFormat::bgr, PixelFormat::rgba, PixelFormat::bgra}) {
      const bool alpha = format == PixelFormat::rgba || format == PixelFormat::bgra;
      const bool blue_first = format == PixelFormat::bgr || format == PixelFormat::bgra;
      const size_t bytes = alpha ? 4 : 3, row = bytes * kWidth + 5;
      std::vector<uint8_t> other(row * kHeight, 99);
      for (size_t i = 0; i < kHeight * kWidth; ++i) {
        for (size_t c = 0; c < 3; ++c) {
          other[i / kWidth * row + i % kWidth * bytes + (blue_first ? 2 - c : c)] = rgb[3 * i + c];
        }
      }
      CHECK(scaled({other.data(), kWidth, kHeight, row, format}, target) == expected);
    }
  }
}

TEST_CASE("colours become grey by their weights, and grey becomes three equal channels") {
  const std::vector<uint8_t> rgb{255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
  CHECK(scaled({rgb.data(), 4, 1}, {1, 1, 4}) == std::vector<uint8_t>{76, 149, 28, 255});
  const std::vector<uint8_t> grey{3, 200};
  CHECK(scaled({grey.data(), 2, 1, 0, PixelFormat::grey}, {3, 1, 2}) ==
        std::vector<uint8_t>{3, 200, 3, 200, 3, 200});
}

TEST_CASE("the shorter side is scaled and the middle cut out") {
  // Two rows of four pixels to a shorter side of 2: nothing is scaled, columns 1 and 2 are left.
  const std::vector<uint8_t> grey{1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(scaled({grey.data(), 4, 2, 0, PixelFormat::grey}, {1, 2, 2, 2}) ==
        std::vector<uint8_t>{2, 3, 6, 7});
}

TEST_CASE("an image is scaled as by the triangle filter in real numbers, one direction at a time") {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    nestling::Random random(seed);
    const auto size = [&](int64_t most) { return static_cast<uint32_t>(1 + random.below(most)); };
    const PixelView image{nullptr, size(60), size(60)};
    const PixelTarget target{3, size(30), size(30), random.below(2) == 0 ? 0 : size(30)};
    const std::vector<uint8_t> rgb = some_bytes(random, size_t{3} * image.height * image.width);
    const auto to = scaled({rgb.data(), image.width, image.height}, target);
    const auto expected = expected_of(rgb, image, target);
    size_t wrong = 0;
    for (size_t i = 0; i < to.size(); ++i) wrong += std::abs(to[i] - expected[i]) > 1 ? 1 : 0;
    CHECK(wrong == 0);
  }
}

TEST_CASE("what has one colour keeps it at every size") {
  for (const uint8_t colour : {0, 1, 127, 255}) {
    for (const auto& [height, width] : {std::pair{1U, 100000U}, {3001U, 7U}, {1U, 1U}, {9U, 9U}}) {
      const std::vector<uint8_t> grey(size_t{height} * width, colour);
      const auto to = scaled({grey.data(), width, height, 0, PixelFormat::grey}, {1, 5, 3});
      CHECK(to == std::vector<uint8_t>(15, colour));
    }
  }
}

TEST_CASE("images without pixels, or with too many, are refused before memory is asked for") {
  uint8_t byte = 0;
  const auto code = [&](const PixelView& image, const PixelTarget& target) {
    return scale_pixels(image, target, &byte).code();
  };
  CHECK(code({&byte, 0, 1}, {1, 1, 1, 5}) == StatusCode::bad_argument);
  CHECK(code({&byte, 1, 0}, {1, 1, 1}) == StatusCode::bad_argument);
  CHECK(code({nullptr, 1, 1}, {1, 1, 1}) == StatusCode::bad_argument);
  CHECK(code({&byte, 1, 1}, {1, 0, 1}) == StatusCode::bad_argument);
  CHECK(code({&byte, 1, 1}, {1, 0, 1, 5}) == StatusCode::bad_argument);
  CHECK(code({&byte, 1, 1}, {2, 1, 1}) == StatusCode::bad_argument);
  CHECK(code({&byte, 1, 1U << 26}, {1, 1, 1U << 26}) == StatusCode::bad_argument);
  CHECK(code({&byte, 1U << 20, 1U << 20}, {1, 1, 1}) == StatusCode::bad_argument);
  CHECK(code({&byte, 1U << 20, 1}, {1, 1, 1, 1U << 20}) == StatusCode::bad_argument);
  CHECK(code({&byte, ~0U, ~0U}, {1, ~0U, ~0U, ~0U}) == StatusCode::bad_argument);
}
