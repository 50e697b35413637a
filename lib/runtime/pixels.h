// An image as cameras and decoders have it, to what a network takes. Training sees its images
// through the same functions, so a device sees the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/export.h"
#include "runtime/status.h"

namespace nestling::runtime {

inline constexpr uint64_t kMaxPixels = uint64_t{1} << 26;  // of an image, given or scaled

enum class PixelFormat { grey = 0, rgb = 1, bgr = 2, rgba = 3, bgra = 4 };  // alpha is ignored

// Bytes that somebody else owns; a row begins `row_bytes` after the one above.
struct PixelView {
  const uint8_t* data = nullptr;
  uint32_t width = 0, height = 0;
  size_t row_bytes = 0;  // 0: rows follow each other
  PixelFormat format = PixelFormat::rgb;
};

// What a network takes: [channels, height, width], 1 channel (grey) or 3 (red, green, blue).
struct PixelTarget {
  uint32_t channels = 3, height = 0, width = 0;
  uint32_t resize = 0;  // shorter side before the centre crop; 0: scaled to the target directly
};

// Scales by the triangle filter, widened where the image shrinks (as PyTorch's transforms and
// Pillow do), rounds to bytes after each direction, and crops; `to` has channels * height * width
// bytes. Grey is (77 red + 150 green + 29 blue) / 256. Fails if a size is 0 or an image too large.
NESTLING_API Status scale_pixels(const PixelView& image, const PixelTarget& target, uint8_t* to);

// (pixel / 255 - mean) / deviation of `count` pixels [mean.size(), ...].
NESTLING_API void normalise_pixels(const uint8_t* pixels, size_t count,
                                   const std::vector<float>& mean,
                                   const std::vector<float>& deviation, float* to);

}  // namespace nestling::runtime
