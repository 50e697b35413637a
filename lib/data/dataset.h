// Labelled images in memory, and the folders they come from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nestling {

// One split of a data set.
struct Dataset {
  std::string name;                  // of the data set, such as "fashion-mnist"
  std::string split;                 // "train", "test" or "validation"
  std::vector<std::string> classes;  // by label
  std::vector<float> mean;           // per channel, of pixel values from 0 to 1
  std::vector<float> deviation;      // per channel, positive
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint8_t> pixels;  // [N, channels, height, width]
  std::vector<int32_t> labels;  // [N], each from 0 to classes - 1

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

// Loads the split "train" or "test". `name_or_folder` is a folder with a `dataset.json`, or the
// name of one under $NESTLING_DATA, or under `data/`. Throws Error saying what is missing or does
// not fit.
Dataset load_dataset(const std::string& name_or_folder, const std::string& split);

// SHA-256 of the images and labels: two data sets with the same digest train alike.
std::string digest(const Dataset& data);

// Keeps a tenth of the images, at most 5,000, for validation: {the rest, the validation split}.
// Which ones depends on the number of images only, so every tool sees the same split and no number
// chosen by validation accuracy was trained on it. Throws Error if there are fewer than ten images.
std::pair<Dataset, Dataset> split_validation(const Dataset& data);

// The first `count` images; all of them if there are fewer.
Dataset take(const Dataset& data, int64_t count);

// The images at `indices` as a network takes them, (pixel / 255 - mean) / deviation,
// [indices.size(), channels, height, width].
std::vector<float> normalised(const Dataset& data, std::span<const int64_t> indices);

}  // namespace nestling
