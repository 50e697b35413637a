#include "runtime/pixels.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace nestling::runtime {
namespace {

// One image in memory of our own, [height, width, channels].
struct Picture {
  size_t height, width, channels;
  std::vector<uint8_t> data;

  Picture(size_t h, size_t w, size_t c) : height(h), width(w), channels(c), data(h * w * c) {}
};

// Where red, green and blue lie in a pixel, and the bytes of one.
struct Layout {
  size_t bytes, red, green, blue;
};
Layout layout_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::grey:
      return {1, 0, 0, 0};
    case PixelFormat::rgb:
      return {3, 0, 1, 2};
    case PixelFormat::bgr:
      return {3, 2, 1, 0};
    case PixelFormat::rgba:
      return {4, 0, 1, 2};
    case PixelFormat::bgra:
      return {4, 2, 1, 0};
  }
  return {};
}

Picture picture_of(const PixelView& image, size_t channels) {
  const Layout layout = layout_of(image.format);
  const size_t row = image.row_bytes == 0 ? image.width * layout.bytes : image.row_bytes;
  Picture picture(image.height, image.width, channels);
  uint8_t* to = picture.data.data();
  for (size_t i = 0; i < image.height; ++i) {
    const uint8_t* from = image.data + i * row;
    for (size_t j = 0; j < image.width; ++j, from += layout.bytes, to += channels) {
      const uint8_t red = from[layout.red], green = from[layout.green], blue = from[layout.blue];
      if (channels == 3) {
        to[0] = red;
        to[1] = green;
        to[2] = blue;
      } else {
        to[0] = static_cast<uint8_t>((77 * red + 150 * green + 29 * blue) / 256);
      }
    }
  }
  return picture;
}

// The pixels that make one pixel of a scaled row or column, and how much of each.
struct Taps {
  size_t first = 0;
  std::vector<double> weights;
};

std::vector<Taps> triangle_filter(size_t from, size_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double reach = std::max(scale, 1.0);
  std::vector<Taps> filter(to);
  for (size_t i = 0; i < to; ++i) {
    Taps& taps = filter[i];
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max(0LL, std::llround(centre - reach));
    const auto last = std::min(static_cast<long long>(from), std::llround(centre + reach));
    taps.first = static_cast<size_t>(first);
    double sum = 0;
    for (long long j = first; j < last; ++j) {
      const double distance = std::abs(static_cast<double>(j) + 0.5 - centre) / reach;
      taps.weights.push_back(std::max(0.0, 1 - distance));
      sum += taps.weights.back();
    }
    for (double& weight : taps.weights) weight /= sum;
  }
  return filter;
}

// `image` with its height (axis 0) or width (axis 1) brought to `to`.
Picture resized(Picture image, int axis, size_t to) {
  const size_t from = axis == 0 ? image.height : image.width;
  if (from == to) return image;
  Picture result(axis == 0 ? to : image.height, axis == 0 ? image.width : to, image.channels);
  const std::vector<Taps> filter = triangle_filter(from, to);
  const size_t step = axis == 0 ? image.width * image.channels : image.channels;
  uint8_t* out = result.data.data();
  for (size_t i = 0; i < result.height; ++i) {
    for (size_t j = 0; j < result.width; ++j) {
      const Taps& taps = filter[axis == 0 ? i : j];
      const size_t row = axis == 0 ? taps.first : i, column = axis == 0 ? j : taps.first;
      const uint8_t* in = image.data.data() + (row * image.width + column) * image.channels;
      for (size_t c = 0; c < image.channels; ++c) {
        double sum = 0.5;
        for (size_t k = 0; k < taps.weights.size(); ++k) sum += taps.weights[k] * in[k * step + c];
        *out++ = static_cast<uint8_t>(std::clamp(sum, 0.0, 255.0));
      }
    }
  }
  return result;
}

bool too_large(uint64_t height, uint64_t width) {
  return height == 0 || width == 0 || height > kMaxPixels || width > kMaxPixels / height;
}

}  // namespace

Status scale_pixels(const PixelView& image, const PixelTarget& target, uint8_t* to) {
  if (target.channels != 1 && target.channels != 3) {
    return {StatusCode::bad_argument,
            "an image has 1 or 3 channels, not " + std::to_string(target.channels)};
  }
  uint64_t height = target.height, width = target.width;
  if (target.resize > 0 && image.height > 0 && image.width > 0) {
    const uint64_t shorter = std::min(image.width, image.height);
    height = std::max(height, uint64_t{image.height} * target.resize / shorter);
    width = std::max(width, uint64_t{image.width} * target.resize / shorter);
  }
  if (image.data == nullptr || too_large(image.height, image.width) || too_large(height, width)) {
    return {StatusCode::bad_argument, "an image of " + std::to_string(image.width) + "x" +
                                          std::to_string(image.height) +
                                          " pixels cannot be scaled to " + std::to_string(width) +
                                          "x" + std::to_string(height)};
  }
  const size_t channels = target.channels;
  const Picture scaled = resized(resized(picture_of(image, channels), 1, width), 0, height);
  const size_t top = (height - target.height) / 2, left = (width - target.width) / 2;
  for (size_t c = 0; c < channels; ++c) {
    for (size_t i = 0; i < target.height; ++i) {
      for (size_t j = 0; j < target.width; ++j) {
        *to++ = scaled.data[((top + i) * width + left + j) * channels + c];
      }
    }
  }
  return {};
}

void normalise_pixels(const uint8_t* pixels, size_t count, const std::vector<float>& mean,
                      const std::vector<float>& deviation, float* to) {
  const size_t area = count / mean.size();
  for (size_t c = 0; c < mean.size(); ++c) {
    float of[256];  // each value that a pixel can have: two divisions for it, not for every pixel
    for (size_t v = 0; v < 256; ++v) {
      of[v] = (static_cast<float>(v) / 255.0F - mean[c]) / deviation[c];
    }
    for (size_t i = 0; i < area; ++i) *to++ = of[*pixels++];
  }
}

}  // namespace nestling::runtime
