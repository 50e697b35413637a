#include "base/float16.h"

#include <limits>

#include "support/catch.h"

using nestling::from_float16;
using nestling::to_float16;

TEST_CASE("every float16 survives the way to float and back") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = from_float16(half);
    if (std::isnan(value)) continue;
    if (to_float16(value) != half) FAIL("bits " << bits << " became " << to_float16(value));
  }
  CHECK(from_float16(0x3C00) == 1.0F);
  CHECK(from_float16(0xC000) == -2.0F);
  CHECK(from_float16(0x7BFF) == 65504.0F);
  CHECK(from_float16(0x0001) == 0x1p-24F);
  CHECK(from_float16(0xFC00) == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(from_float16(0x7C01)));
}

TEST_CASE("what lies between two float16 becomes the nearer one, or the even one") {
  for (uint16_t low = 0; low < 0x7BFF; ++low) {
    const auto high = static_cast<uint16_t>(low + 1);
    const float middle = (from_float16(low) + from_float16(high)) / 2;  // which is exact
    const float below = std::nextafter(middle, 0.0F), above = std::nextafter(middle, 1e9F);
    const uint16_t even = low % 2 == 0 ? low : high;
    if (to_float16(middle) != even || to_float16(below) != low || to_float16(above) != high ||
        to_float16(-above) != (high | 0x8000)) {
      FAIL("between " << low << " and " << high);
    }
  }
  CHECK(to_float16(std::nextafter(nestling::kFloat16Overflow, 0.0F)) == 0x7BFF);
  CHECK(to_float16(nestling::kFloat16Overflow) == 0x7C00);
  CHECK(to_float16(-1e30F) == 0xFC00);
}
