// Labelled images in memory, and the folders they come from.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nestling {

// One split of a data set.
struct Dataset {
  std::string name;                  // of the data set, such as "fashion-mnist"
  std::string split;                 // "train", "test" or "validation"
  std::vector<std::string> classes;  // by label; none if the images are not labelled
  std::vector<float> mean;           // per channel, of pixel values from 0 to 1
  std::vector<float> deviation;      // per channel, positive
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t resize = 0;           // how the images were scaled, see Preprocess in graph/classifier.h
  std::vector<uint8_t> pixels;  // [N, channels, height, width]
  std::vector<int32_t> labels;  // [N], each from 0 to classes - 1; 0 if there are no classes
  std::vector<std::string> skipped;  // why each image that could not be read is not there

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

// What a network wants of a data set. IDX and CIFAR images stay as they are; images from files are
// scaled to it.
struct LoadOptions {
  int64_t channels = 0, height = 0, width = 0;  // 0: as the data set, or its first image, is
  // The shorter side before the centre crop, 0 to scale to height x width directly. Without a
  // value: as the data set says, or else the longer of height and width.
  std::optional<int64_t> resize = {};
  // Per channel; empty: as the data set says, or else computed from its training split.
  std::vector<float> mean = {}, deviation = {};
  int64_t max_bad = 0;  // images that cannot be read and may be skipped
  // Take all images without their labels; those of a folder then need no folders of classes.
  bool unlabelled = false;
};

// Loads the split "train" or "test". See describe_data for `name_or_folder` and the formats. Throws
// Error saying what is missing or does not fit.
Dataset load_dataset(const std::string& name_or_folder, const std::string& split,
                     const LoadOptions& options = {});

// Throws Error unless `classes`, those of a model, are the data's by the same labels; a model that
// names none takes any, and images without labels fit every model.
void check_classes(const std::vector<std::string>& classes, const Dataset& data);

// SHA-256 of the images and labels: two data sets with the same digest train alike.
std::string digest(const Dataset& data);

// Keeps a tenth of the images, at most 5,000, for validation: {the rest, the validation split}.
// Which ones depends on the number of images only, so every tool sees the same split and no number
// chosen by validation accuracy was trained on it. Throws Error if there are fewer than ten images.
std::pair<Dataset, Dataset> split_validation(const Dataset& data);

// `count` of the images, drawn at random (those of a folder lie class by class); always the same
// ones of equally many. All of them if there are fewer.
Dataset take(const Dataset& data, int64_t count);

// The images at `indices` as a network takes them, (pixel / 255 - mean) / deviation,
// [indices.size(), channels, height, width].
std::vector<float> normalised(const Dataset& data, std::span<const int64_t> indices);

}  // namespace nestling
