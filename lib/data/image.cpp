#include "data/image.h"

#include <algorithm>
#include <memory>
#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>

#include "base/error.h"
#include "base/file.h"

namespace nestling {

std::vector<float> load_image(const std::filesystem::path& path, const ImageInput& input) {
  constexpr int64_t kMaxPixels = int64_t{1} << 26;
  if (input.channels != 1 && input.channels != 3) {
    fail("the network takes {} channels; an image has 1 or 3", input.channels);
  }
  const std::string file = read_file(path, uint64_t{1} << 28);
  const auto* bytes = reinterpret_cast<const stbi_uc*>(file.data());
  const auto size = static_cast<int>(file.size());
  const auto channels = static_cast<int>(input.channels);
  int width = 0, height = 0, stored = 0;
  if (stbi_info_from_memory(bytes, size, &width, &height, &stored) == 0) {
    fail("{} is not an image that can be read: {}", path.string(), stbi_failure_reason());
  }
  if (int64_t{width} * height > kMaxPixels) {
    fail("{} has {}x{} pixels, more than are accepted", path.string(), width, height);
  }
  const std::unique_ptr<stbi_uc, decltype(&stbi_image_free)> pixels(
      stbi_load_from_memory(bytes, size, &width, &height, &stored, channels), &stbi_image_free);
  if (!pixels) fail("{} is damaged: {}", path.string(), stbi_failure_reason());

  int64_t to_height = input.height, to_width = input.width;
  if (input.resize > 0) {
    const int64_t shorter = std::min(width, height);
    to_height = std::max(input.height, height * input.resize / shorter);
    to_width = std::max(input.width, width * input.resize / shorter);
    if (to_height * to_width > kMaxPixels) fail("{} is too long and narrow", path.string());
  }
  std::vector<uint8_t> scaled(static_cast<size_t>(to_height * to_width * channels));
  // The triangle filter, widened where the image shrinks: what PyTorch's transforms do.
  if (stbir_resize_uint8_generic(pixels.get(), width, height, 0, scaled.data(),
                                 static_cast<int>(to_width), static_cast<int>(to_height), 0,
                                 channels, STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP,
                                 STBIR_FILTER_TRIANGLE, STBIR_COLORSPACE_LINEAR, nullptr) == 0) {
    fail("{} cannot be resized", path.string());
  }
  const int64_t top = (to_height - input.height) / 2, left = (to_width - input.width) / 2;
  std::vector<float> result;
  result.reserve(static_cast<size_t>(channels * input.height * input.width));
  for (int64_t c = 0; c < channels; ++c) {
    const float mean = input.mean.at(static_cast<size_t>(c));
    const float deviation = input.deviation.at(static_cast<size_t>(c));
    for (int64_t i = 0; i < input.height; ++i) {
      for (int64_t j = 0; j < input.width; ++j) {
        const int64_t at = ((top + i) * to_width + left + j) * channels + c;
        result.push_back((static_cast<float>(scaled[static_cast<size_t>(at)]) / 255.0F - mean) /
                         deviation);
      }
    }
  }
  return result;
}

}  // namespace nestling
