// Image files as a network takes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace nestling {

// How an image becomes the network's input.
struct ImageInput {
  int64_t channels = 3;  // 1 (grey) or 3 (red, green, blue)
  int64_t height = 0, width = 0;
  int64_t resize = 0;  // shorter side before the centre crop; 0: scaled to height x width directly
  std::vector<float> mean, deviation;  // per channel, of pixel values from 0 to 1
};

// Reads a PNG, JPEG, BMP, GIF (its first frame) or PNM file: [channels, height, width], normalised.
// Throws Error naming the file if it is no image or over 2^26 pixels.
std::vector<float> load_image(const std::filesystem::path& path, const ImageInput& input);

}  // namespace nestling
