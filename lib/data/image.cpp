#include "data/image.h"

#include "runtime/pixels.h"

#include "base/error.h"
#include "base/file.h"

namespace nestling {
std::vector<uint8_t> scale_image(const Pixels& image, const ImageInput& input,
                                 const std::string& where) {
  // Before memory is asked for; the runtime looks at the scaled image's sizes.
  if (input.height < 1 || input.width < 1 || input.width > kMaxPixels / input.height ||
      input.resize < 0 || input.resize > kMaxPixels) {
    fail("{} cannot be scaled to {}x{} pixels", where, input.width, input.height);
  }
  const auto small = [](int64_t size) { return static_cast<uint32_t>(size); };  // by kMaxPixels
  const runtime::PixelView view{
      .data = image.data.data(),
      .width = small(image.width),
      .height = small(image.height),
      .format = image.channels == 1 ? runtime::PixelFormat::grey : runtime::PixelFormat::rgb};
  const runtime::PixelTarget target{.channels = small(image.channels),
                                    .height = small(input.height),
                                    .width = small(input.width),
                                    .resize = small(input.resize)};
  std::vector<uint8_t> result(static_cast<size_t>(image.channels * input.height * input.width));
  const runtime::Status status = runtime::scale_pixels(view, target, result.data());
  if (!status.ok()) fail("{}: {}", where, status.text());
  return result;
}

std::vector<float> load_image(const std::filesystem::path& path, const ImageInput& input) {
  const std::string where = path.string();
  const std::string bytes = read_file(path, kMaxImageBytes);
  const auto pixels = scale_image(decode_image(bytes, input.channels, where), input, where);
  std::vector<float> result(pixels.size());
  runtime::normalise_pixels(pixels.data(), pixels.size(), input.mean, input.deviation,
                            result.data());
  return result;
}

}  // namespace nestling
