#include "data/decode.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>
#include <png.h>
#include <turbojpeg.h>

#include "base/error.h"

namespace nestling {
namespace {

Pixels blank(int64_t channels, int64_t height, int64_t width, const std::string& where) {
  if (height < 1 || width < 1) fail("{} has no pixels", where);
  if (width > kMaxPixels / height) {
    fail("{} has {}x{} pixels, more than are accepted", where, width, height);
  }
  return {channels, height, width,
          std::vector<uint8_t>(static_cast<size_t>(channels * height * width))};
}

Pixels decode_jpeg(std::string_view bytes, int64_t channels, const std::string& where) {
  const std::unique_ptr<void, decltype(&tjDestroy)> decoder(tjInitDecompress(), &tjDestroy);
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto size = static_cast<unsigned long>(bytes.size());
  const auto check = [&](int result) {
    if (result != 0 && tjGetErrorCode(decoder.get()) == TJERR_FATAL) {
      fail("{} is damaged: {}", where, tjGetErrorStr2(decoder.get()));
    }
  };
  int width = 0, height = 0, sampling = 0, space = 0;
  check(tjDecompressHeader3(decoder.get(), data, size, &width, &height, &sampling, &space));
  if (space == TJCS_CMYK || space == TJCS_YCCK) {
    fail("{} is a CMYK image; convert it to RGB", where);
  }
  Pixels pixels = blank(channels, height, width, where);
  // A warning (a file that ends early, say) leaves grey where the data is missing: an error here.
  if (tjDecompress2(decoder.get(), data, size, pixels.data.data(), width, 0, height,
                    channels == 1 ? TJPF_GRAY : TJPF_RGB,
                    TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0) {
    fail("{} is damaged: {}", where, tjGetErrorStr2(decoder.get()));
  }
  return pixels;
}

Pixels decode_png(std::string_view bytes, int64_t channels, const std::string& where) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, decltype(&png_image_free)> release(&image, &png_image_free);
  const auto check = [&](int result) {
    if (result == 0) fail("{} is damaged: {}", where, image.message);
  };
  check(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()));
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  image.format = channels == 1 ? PNG_FORMAT_GA : PNG_FORMAT_RGBA;
  const Pixels with_alpha = [&] {
    Pixels pixels = blank(channels + 1, image.height, image.width, where);
    check(png_image_finish_read(&image, nullptr, pixels.data.data(), 0, nullptr));
    return pixels;
  }();
  Pixels pixels = blank(channels, with_alpha.height, with_alpha.width, where);
  const auto count = static_cast<size_t>(channels);
  for (size_t from = 0, to = 0; to < pixels.data.size(); ++from, to += count) {
    std::copy_n(with_alpha.data.begin() + static_cast<std::ptrdiff_t>(from * (count + 1)), count,
                pixels.data.begin() + static_cast<std::ptrdiff_t>(to));
  }
  return pixels;
}

// "P5" or "P6", width, height, largest value (255), one white space, bytes; # begins a comment.
Pixels decode_pnm(std::string_view bytes, int64_t channels, const std::string& where) {
  size_t at = 2;
  const auto number = [&] {
    while (at < bytes.size() &&
           (std::isspace(static_cast<unsigned char>(bytes[at])) != 0 || bytes[at] == '#')) {
      at = bytes[at] == '#' ? std::min(bytes.find('\n', at), bytes.size()) : at + 1;
    }
    int64_t value = 0;
    const auto [end, error] =
        std::from_chars(bytes.data() + at, bytes.data() + bytes.size(), value);
    if (error != std::errc() || value < 0 || value > 1 << 26) fail("{} is damaged", where);
    at = static_cast<size_t>(end - bytes.data());
    return value;
  };
  const int64_t width = number(), height = number(), largest = number();
  if (largest != 255) fail("{} does not have 8 bits a channel", where);
  const int64_t stored = bytes[1] == '6' ? 3 : 1;
  Pixels pixels = blank(channels, height, width, where);
  const std::string_view data = bytes.substr(std::min(at + 1, bytes.size()));
  if (data.size() < static_cast<size_t>(stored * height * width)) fail("{} is cut short", where);
  for (size_t i = 0; i < static_cast<size_t>(height * width); ++i) {
    const auto* from =
        reinterpret_cast<const uint8_t*>(data.data()) + i * static_cast<size_t>(stored);
    uint8_t* to = pixels.data.data() + i * static_cast<size_t>(channels);
    if (channels == stored) {
      std::copy_n(from, stored, to);
    } else if (channels == 3) {
      std::fill_n(to, 3, *from);
    } else {
      // ITU-R BT.601 luma, as JPEG's.
      *to = static_cast<uint8_t>((from[0] * 299 + from[1] * 587 + from[2] * 114 + 500) / 1000);
    }
  }
  return pixels;
}

}  // namespace

Pixels decode_image(std::string_view bytes, int64_t channels, const std::string& where) {
  if (channels != 1 && channels != 3) {
    fail("the network takes {} channels; an image has 1 or 3", channels);
  }
  if (bytes.starts_with("\xff\xd8\xff")) return decode_jpeg(bytes, channels, where);
  if (bytes.starts_with("\x89PNG\r\n")) return decode_png(bytes, channels, where);
  if (bytes.starts_with("P5") || bytes.starts_with("P6")) {
    return decode_pnm(bytes, channels, where);
  }
  fail("{} is not an image that can be read; JPEG, PNG and binary PNM can", where);
}

}  // namespace nestling
