#include "runtime/pixels.h"

#include "support/catch.h"

#include "base/random.h"

using namespace nestling::runtime;

namespace {

std::vector<uint8_t> scaled(const PixelView& image, const PixelTarget& target) {
  std::vector<uint8_t> to(size_t{target.channels} * target.height * target.width);
  REQUIRE(scale_pixels(image, target, to.data()).ok());
  return to;
}

}  // namespace

TEST_CASE("every order of a pixel's bytes, and rows with gaps, are the same image") {
  nestling::Random random(7);
  constexpr uint32_t kHeight = 5, kWidth = 7;
  std::vector<uint8_t> rgb(size_t{3} * kHeight * kWidth);
  for (uint8_t& byte : rgb) byte = static_cast<uint8_t>(random.below(256));
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

TEST_CASE("images without pixels, or with too many, are refused before memory is asked for") {
  uint8_t byte = 0;
  const auto code = [&](const PixelView& image, const PixelTarget& target) {
    return scale_pixels(image, target, &byte).code();
  };
  CHECK(code({&byte, 0, 1}, {1, 1, 1, 5}) == StatusCode::bad_argument);
  CHECK(code({&byte, 1, 0}, {1, 1, 1}) == StatusCode::bad_argument);
  CHECK(code({nullptr, 1, 1}, {1, 1, 1}) == StatusCode::bad_argument);
  CHECK(code({&byte, 1, 1}, {1, 0, 1}) == StatusCode::bad_argument);
  CHECK(code({&byte, 1, 1}, {2, 1, 1}) == StatusCode::bad_argument);
  CHECK(code({&byte, 1U << 20, 1U << 20}, {1, 1, 1}) == StatusCode::bad_argument);
  CHECK(code({&byte, 1U << 20, 1}, {1, 1, 1, 1U << 20}) == StatusCode::bad_argument);
  CHECK(code({&byte, ~0U, ~0U}, {1, ~0U, ~0U, ~0U}) == StatusCode::bad_argument);
}
