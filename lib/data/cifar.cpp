#include <sstream>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "data/formats.h"

namespace nestling {
namespace {

constexpr int64_t kSide = 32, kChannels = 3;

std::vector<std::string> class_names(const std::filesystem::path& file) {
  std::vector<std::string> names;
  std::istringstream lines(read_file(file, 1 << 20));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) names.push_back(line);
  }
  return names;
}

}  // namespace

void read_cifar_split(const DataDescriptor& data, Dataset& split) {
  const bool fine = data.format == "cifar100";
  const size_t label_bytes = fine ? 2 : 1;
  constexpr auto kPixels = static_cast<size_t>(kChannels * kSide * kSide);
  const size_t record = label_bytes + kPixels;
  split.channels = kChannels;
  split.height = split.width = kSide;
  if (split.classes.empty()) {
    split.classes = class_names(data.folder / (fine ? "fine_label_names.txt" : "batches.meta.txt"));
  }
  for (const std::filesystem::path& file : data.splits.at(split.split)) {
    const std::filesystem::path path = data.folder / file;
    const std::string bytes = read_file(path);
    if (bytes.empty() || bytes.size() % record != 0) {
      fail("{} is not a batch of CIFAR images: {} bytes are no multiple of {}", path.string(),
           bytes.size(), record);
    }
    for (size_t at = 0; at < bytes.size(); at += record) {
      split.labels.push_back(static_cast<unsigned char>(bytes[at + label_bytes - 1]));
      const auto pixels = bytes.begin() + static_cast<std::ptrdiff_t>(at + label_bytes);
      split.pixels.insert(split.pixels.end(), pixels, pixels + std::ptrdiff_t{kPixels});
    }
  }
}

}  // namespace nestling
