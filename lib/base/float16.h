// Numbers of IEEE 754's binary16: 1 bit of sign, 5 of exponent, 10 of fraction.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace nestling {

// The smallest magnitude that float16 has no number near.
inline constexpr float kFloat16Overflow = 65520;

// The bits of the nearest float16, of two equally near ones the even one; what lies beyond all is
// infinite. Not for NaN.
inline uint16_t to_float16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000U;
  const float magnitude = std::fabs(value);
  if (magnitude >= kFloat16Overflow) return static_cast<uint16_t>(sign | 0x7C00U);
  constexpr float kLeastNormal = 0x1p-14F;
  if (magnitude < kLeastNormal) {  // multiples of 2^-24
    return static_cast<uint16_t>(sign | static_cast<uint32_t>(std::nearbyint(magnitude * 0x1p24F)));
  }
  // 13 bits of the fraction go, and the exponent's bias falls from 127 to 15.
  const uint32_t rounded = (bits & 0x7FFFFFFFU) + 0xFFFU + (bits >> 13 & 1U);
  return static_cast<uint16_t>(sign | ((rounded - (112U << 23)) >> 13));
}

// Exact.
inline float from_float16(uint16_t bits) {
  const uint32_t exponent = bits >> 10 & 0x1FU, fraction = bits & 0x3FFU;
  float magnitude = static_cast<float>(fraction) * 0x1p-24F;
  if (exponent > 0) {
    const uint32_t biased = exponent == 0x1FU ? 0xFFU : exponent + 112;
    magnitude = std::bit_cast<float>(biased << 23 | fraction << 13);
  }
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

}  // namespace nestling
