#include "runtime/pixels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace nestling::runtime {
namespace {

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

// A row of the image with its colours in order, or grey; in `buffer` if it does not lie so.
const uint8_t* row_of(const PixelView& image, size_t index, size_t channels,
                      std::vector<uint8_t>& buffer) {
  const Layout layout = layout_of(image.format);
  const size_t bytes = image.row_bytes == 0 ? image.width * layout.bytes : image.row_bytes;
  const uint8_t* from = image.data + index * bytes;
  if (image.format == (channels == 3 ? PixelFormat::rgb : PixelFormat::grey)) return from;
  buffer.resize(image.width * channels);
  uint8_t* to = buffer.data();
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
  return buffer.data();
}

// Weights are whole numbers of 1 / kOne, so that sums are exact, in whatever order.
constexpr uint32_t kBits = 22, kOne = uint32_t{1} << kBits, kHalf = kOne / 2;

// Of each pixel of a scaled row or column: the pixels that make it, and how much of each.
struct Filter {
  struct Taps {
    size_t first, count;
    size_t weights;  // where these begin
  };
  std::vector<Taps> taps;
  std::vector<uint32_t> weights;  // each pixel's are kOne in all
};

// Of `count` pixels from `begin` on, of a row or column of `from` pixels that is scaled to `to`.
Filter triangle_filter(size_t from, size_t to, size_t begin, size_t count) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double reach = std::max(scale, 1.0);
  Filter filter;
  for (size_t i = begin; i < begin + count; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto share = [&](long long j) {
      return std::max(0.0, 1 - std::abs(static_cast<double>(j) + 0.5 - centre) / reach);
    };
    const auto first = std::max(0LL, std::llround(centre - reach));
    auto last = std::min(static_cast<long long>(from), std::llround(centre + reach));
    while (last > first + 1 && share(last - 1) == 0) --last;
    double all = 0;
    for (long long j = first; j < last; ++j) all += share(j);
    filter.taps.push_back(
        {static_cast<size_t>(first), static_cast<size_t>(last - first), filter.weights.size()});
    // What is rounded away of one weight goes to the next.
    double sum = 0;
    uint32_t before = 0;
    for (long long j = first; j < last; ++j) {
      sum += share(j) / all * kOne;
      const auto upto = std::min(kOne, static_cast<uint32_t>(std::llround(sum)));
      filter.weights.push_back(upto - before);
      before = upto;
    }
    filter.weights.back() += kOne - before;
  }
  return filter;
}

template <size_t kChannels>
void scale_row(const uint8_t* row, const Filter& filter, uint8_t* to) {
  for (const Filter::Taps& taps : filter.taps) {
    const uint8_t* from = row + taps.first * kChannels;
    const uint32_t* weights = &filter.weights[taps.weights];
    std::array<uint32_t, kChannels> sums;
    sums.fill(kHalf);
    for (size_t k = 0; k < taps.count; ++k, from += kChannels) {
      for (size_t c = 0; c < kChannels; ++c) sums[c] += weights[k] * from[c];
    }
    for (const uint32_t sum : sums) *to++ = static_cast<uint8_t>(sum >> kBits);
  }
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
  // Between the two directions, the image is as high as it was and as wide as it will be.
  if (image.data == nullptr || too_large(image.height, image.width) || too_large(height, width) ||
      too_large(target.height, target.width) || too_large(image.height, target.width)) {
    return {StatusCode::bad_argument, "an image of " + std::to_string(image.width) + "x" +
                                          std::to_string(image.height) +
                                          " pixels cannot be scaled to " + std::to_string(width) +
                                          "x" + std::to_string(height)};
  }
  const size_t channels = target.channels;
  const Filter across =
      triangle_filter(image.width, width, (width - target.width) / 2, target.width);
  const Filter down =
      triangle_filter(image.height, height, (height - target.height) / 2, target.height);
  // The rows that are needed, scaled, then the columns.
  const size_t top = down.taps.front().first;
  const size_t rows = down.taps.back().first + down.taps.back().count - top;
  const size_t length = target.width * channels;
  std::vector<uint8_t> narrow(rows * length), buffer;
  for (size_t i = 0; i < rows; ++i) {
    const uint8_t* row = row_of(image, top + i, channels, buffer);
    (channels == 3 ? scale_row<3> : scale_row<1>)(row, across, &narrow[i * length]);
  }
  std::vector<uint32_t> sums(length);
  const size_t area = size_t{target.height} * target.width;
  for (const Filter::Taps& taps : down.taps) {
    std::fill(sums.begin(), sums.end(), kHalf);
    for (size_t k = 0; k < taps.count; ++k) {
      const uint32_t weight = down.weights[taps.weights + k];
      const uint8_t* row = &narrow[(taps.first - top + k) * length];
      for (size_t i = 0; i < length; ++i) sums[i] += weight * row[i];
    }
    for (size_t c = 0; c < channels; ++c) {
      for (size_t j = 0; j < target.width; ++j) {
        to[c * area + j] = static_cast<uint8_t>(sums[j * channels + c] >> kBits);
      }
    }
    to += target.width;
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
