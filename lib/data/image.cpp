#include "data/image.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "data/decode.h"

namespace nestling {
namespace {

// The pixels that make one pixel of a scaled row or column, and how much of each.
struct Taps {
  int64_t first = 0;
  std::vector<double> weights;
};

// The triangle filter, widened where the image shrinks: what PyTorch's transforms and Pillow do.
std::vector<Taps> triangle_filter(int64_t from, int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double reach = std::max(scale, 1.0);
  std::vector<Taps> filter(static_cast<size_t>(to));
  for (int64_t i = 0; i < to; ++i) {
    Taps& taps = filter[static_cast<size_t>(i)];
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    taps.first = std::max<int64_t>(0, std::llround(centre - reach));
    const int64_t last = std::min<int64_t>(from, std::llround(centre + reach));
    double sum = 0;
    for (int64_t j = taps.first; j < last; ++j) {
      const double distance = std::abs(static_cast<double>(j) + 0.5 - centre) / reach;
      taps.weights.push_back(std::max(0.0, 1 - distance));
      sum += taps.weights.back();
    }
    for (double& weight : taps.weights) weight /= sum;
  }
  return filter;
}

// `image` with its height (axis 0) or width (axis 1) brought to `to`.
Pixels resized(const Pixels& image, int axis, int64_t to) {
  const int64_t from = axis == 0 ? image.height : image.width;
  if (from == to) return image;
  Pixels result{image.channels, axis == 0 ? to : image.height, axis == 0 ? image.width : to, {}};
  result.data.resize(static_cast<size_t>(result.channels * result.height * result.width));
  const std::vector<Taps> filter = triangle_filter(from, to);
  const int64_t step = axis == 0 ? image.width * image.channels : image.channels;
  uint8_t* out = result.data.data();
  for (int64_t i = 0; i < result.height; ++i) {
    for (int64_t j = 0; j < result.width; ++j) {
      const Taps& taps = filter[static_cast<size_t>(axis == 0 ? i : j)];
      const int64_t row = axis == 0 ? taps.first : i, column = axis == 0 ? j : taps.first;
      const uint8_t* in = image.data.data() + (row * image.width + column) * image.channels;
      for (int64_t c = 0; c < image.channels; ++c) {
        double sum = 0.5;
        for (size_t k = 0; k < taps.weights.size(); ++k) {
          sum += taps.weights[k] * in[static_cast<int64_t>(k) * step + c];
        }
        *out++ = static_cast<uint8_t>(std::clamp(sum, 0.0, 255.0));
      }
    }
  }
  return result;
}

}  // namespace

std::vector<uint8_t> scale_image(const Pixels& image, const ImageInput& input,
                                 const std::string& where) {
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
  const Pixels scaled = resized(resized(image, 1, to_width), 0, to_height);
  const int64_t top = (to_height - input.height) / 2, left = (to_width - input.width) / 2;
  std::vector<uint8_t> result;
  result.reserve(static_cast<size_t>(channels * input.height * input.width));
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < input.height; ++i) {
      for (int64_t j = 0; j < input.width; ++j) {
        const int64_t at = ((top + i) * to_width + left + j) * channels + c;
        result.push_back(scaled.data[static_cast<size_t>(at)]);
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
