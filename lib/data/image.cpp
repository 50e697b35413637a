#include "data/image.h"

#include <algorithm>
#include <stb/stb_image_resize.h>

#include "base/error.h"
#include "base/file.h"
#include "data/decode.h"

namespace nestling {

std::vector<uint8_t> scale_image(const Pixels& image, const ImageInput& input,
                                 const std::string& where) {
  constexpr int64_t kMaxPixels = int64_t{1} << 26;
  int64_t to_height = input.height, to_width = input.width;
  if (input.resize > 0) {
    const int64_t shorter = std::min(image.width, image.height);
    to_height = std::max(input.height, image.height * input.resize / shorter);
    to_width = std::max(input.width, image.width * input.resize / shorter);
  }
  if (to_height < 1 || to_width < 1 || to_width > kMaxPixels / to_height) {
    fail("{} cannot be scaled to {}x{} pixels", where, to_width, to_height);
  }
  const int64_t channels = image.channels;
  std::vector<uint8_t> scaled(static_cast<size_t>(to_height * to_width * channels));
  // The triangle filter, widened where the image shrinks: what PyTorch's transforms do.
  if (stbir_resize_uint8_generic(
          image.data.data(), static_cast<int>(image.width), static_cast<int>(image.height), 0,
          scaled.data(), static_cast<int>(to_width), static_cast<int>(to_height), 0,
          static_cast<int>(channels), STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP,
          STBIR_FILTER_TRIANGLE, STBIR_COLORSPACE_LINEAR, nullptr) == 0) {
    fail("{} cannot be resized", where);
  }
  const int64_t top = (to_height - input.height) / 2, left = (to_width - input.width) / 2;
  std::vector<uint8_t> result;
  result.reserve(static_cast<size_t>(channels * input.height * input.width));
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < input.height; ++i) {
      for (int64_t j = 0; j < input.width; ++j) {
        const int64_t at = ((top + i) * to_width + left + j) * channels + c;
        result.push_back(scaled[static_cast<size_t>(at)]);
      }
    }
  }
  return result;
}

void normalise(std::span<const uint8_t> pixels, std::span<const float> mean,
               std::span<const float> deviation, float* to) {
  const size_t area = pixels.size() / mean.size();
  const uint8_t* from = pixels.data();
  for (size_t c = 0; c < mean.size(); ++c) {
    for (size_t i = 0; i < area; ++i) {
      *to++ = (static_cast<float>(*from++) / 255.0F - mean[c]) / deviation[c];
    }
  }
}

std::vector<float> load_image(const std::filesystem::path& path, const ImageInput& input) {
  const std::string where = path.string();
  const std::string bytes = read_file(path, kMaxImageBytes);
  const auto pixels = scale_image(decode_image(bytes, input.channels, where), input, where);
  std::vector<float> result(pixels.size());
  normalise(pixels, input.mean, input.deviation, result.data());
  return result;
}

}  // namespace nestling
