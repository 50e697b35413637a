// A small data set that a test makes: class k is a bright bar in row k on noise, so that a few
// steps of training learn it.
#pragma once

#include <filesystem>
#include <string>

#include "base/file.h"
#include "base/random.h"

namespace test {

inline std::string idx_header(const std::vector<uint32_t>& shape) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(shape.size())};
  for (const uint32_t size : shape) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 255);
  }
  return bytes;
}

// Four classes of grey images of side x side; `train` and `test` images.
inline void write_dataset(const std::filesystem::path& folder, uint32_t train, uint32_t test,
                          uint32_t side = 8) {
  std::filesystem::create_directories(folder);
  nestling::Random random(7);
  for (const auto& [split, count] : {std::pair{"train", train}, std::pair{"test", test}}) {
    std::string images = idx_header({count, side, side});
    std::string labels = idx_header({count});
    for (uint32_t n = 0; n < count; ++n) {
      const uint32_t label = n % 4;
      labels += static_cast<char>(label);
      for (uint32_t i = 0; i < side * side; ++i) {
        const bool bar = i / side / 2 == label;
        images += static_cast<char>(random.below(100) + (bar ? 80 : 0));
      }
    }
    nestling::write_file(folder / (std::string(split) + "-images"), images);
    nestling::write_file(folder / (std::string(split) + "-labels"), labels);
  }
  nestling::write_file(folder / "dataset.json", R"({
    "schema": "nestling/dataset/1", "name": "bars", "format": "idx",
    "classes": ["first", "second", "third", "fourth"], "mean": [0.25], "deviation": [0.2],
    "splits": {"train": {"images": "train-images", "labels": "train-labels"},
               "test": {"images": "test-images", "labels": "test-labels"}},
    "source": "made by the tests", "licence": "MIT"})");
}

}  // namespace test
