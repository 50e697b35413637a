// Image files as a network takes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/decode.h"

namespace nestling {

// How an image becomes the network's input.
struct ImageInput {
  int64_t channels = 3;  // 1 (grey) or 3 (red, green, blue)
  int64_t height = 0, width = 0;
  int64_t resize = 0;  // shorter side before the centre crop; 0: scaled to height x width directly
  std::vector<float> mean = {}, deviation = {};  // per channel, of pixel values from 0 to 1
};

inline constexpr uint64_t kMaxImageBytes = uint64_t{1} << 28;  // of a file

// `image` as the network takes it, but for the normalisation: scaled, cropped,
// [channels, height, width]. Throws Error, naming `where`, if a side becomes too long.
std::vector<uint8_t> scale_image(const Pixels& image, const ImageInput& input,
                                 const std::string& where);

// Reads, decodes (decode_image), scales and normalises: [channels, height, width]. Throws Error
// naming the file.
std::vector<float> load_image(const std::filesystem::path& path, const ImageInput& input);

}  // namespace nestling
