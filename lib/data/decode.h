// Image files to pixels.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/pixels.h"

namespace nestling {

inline constexpr auto kMaxPixels = static_cast<int64_t>(runtime::kMaxPixels);

struct Pixels {
  int64_t channels = 0, height = 0, width = 0;
  std::vector<uint8_t> data;  // [height, width, channels]
};

// Decodes a JPEG, PNG or binary PNM (P5, P6) file as 1 channel (grey) or 3 (red, green, blue);
// transparency is dropped. `where` names the file in the Error that is thrown if it is none of
// these, damaged, or has over kMaxPixels pixels, which is known before memory is asked for.
Pixels decode_image(std::string_view bytes, int64_t channels, const std::string& where);

}  // namespace nestling
