#include "data/dataset.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/pixels.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "data/formats.h"
#include "data/idx.h"
#include "data/image.h"

namespace nestling {
namespace {

void check(const Dataset& data, const std::string& where, bool unlabelled) {
  const auto channels = static_cast<size_t>(data.channels);
  if (data.mean.size() != channels || data.deviation.size() != channels) {
    fail("{}: mean and deviation need one number for each of the {} channels", where, channels);
  }
  for (size_t c = 0; c < channels; ++c) {
    if (!std::isfinite(data.mean[c]) || !std::isfinite(data.deviation[c]) ||
        data.deviation[c] <= 0) {
      fail("{}: the means must be finite and the deviations positive", where);
    }
  }
  if (data.labels.empty()) fail("{}: the {} split has no images", where, data.split);
  if (unlabelled) return;
  if (data.classes.size() < 2) fail("{}: a data set has at least two classes", where);
  for (const std::string& name : data.classes) {
    if (!is_utf8(name)) fail("{}: the name of the class {} is not UTF-8", where, name);
  }
  for (const int32_t label : data.labels) {
    if (static_cast<size_t>(label) >= data.classes.size()) {
      fail("{}: the label {} is not one of the {} classes", where, label, data.classes.size());
    }
  }
}

// Mean and deviation of each channel, rounded to four digits.
void compute_statistics(Dataset& data) {
  const auto area = static_cast<size_t>(data.height * data.width);
  const auto channels = static_cast<size_t>(data.channels);
  std::vector<uint64_t> sum(channels), squares(channels);
  for (size_t i = 0; i < data.pixels.size(); ++i) {
    const size_t c = i / area % channels;
    sum[c] += data.pixels[i];
    squares[c] += uint64_t{data.pixels[i]} * data.pixels[i];
  }
  const auto rounded = [](double value) {
    return static_cast<float>(std::round(value * 1e4) / 1e4);
  };
  for (size_t c = 0; c < channels; ++c) {
    const double count = static_cast<double>(data.size()) * static_cast<double>(area);
    const double mean = static_cast<double>(sum[c]) / count;
    const double variance = static_cast<double>(squares[c]) / count - mean * mean;
    data.mean.push_back(rounded(mean / 255));
    data.deviation.push_back(std::max(1e-4F, rounded(std::sqrt(std::max(variance, 0.0)) / 255)));
  }
}

// The images at `indices`, in their order.
Dataset subset(const Dataset& data, std::span<const int64_t> indices) {
  Dataset part = data;
  part.pixels.clear();
  part.labels.clear();
  const auto image = static_cast<size_t>(data.channels * data.height * data.width);
  part.pixels.reserve(indices.size() * image);
  for (const int64_t index : indices) {
    const auto from = data.pixels.begin() + index * static_cast<int64_t>(image);
    part.pixels.insert(part.pixels.end(), from, from + static_cast<int64_t>(image));
    part.labels.push_back(data.labels[static_cast<size_t>(index)]);
  }
  return part;
}

// 0 to count - 1 in an order that depends on the count only.
std::vector<int64_t> shuffled(int64_t count) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  Random(static_cast<uint64_t>(count)).shuffle(order);
  return order;
}

}  // namespace

void read_idx_split(const DataDescriptor& data, Dataset& split) {
  const std::vector<std::filesystem::path>& files = data.splits.at(split.split);
  IdxArray images = read_idx(data.folder / files[0]);
  const IdxArray labels = read_idx(data.folder / files[1]);
  const std::string where = data.where();
  if (images.shape.size() != 3 && images.shape.size() != 4) {
    fail("{}: the images are not [N, H, W] or [N, C, H, W]", where);
  }
  if (labels.shape.size() != 1 || labels.shape[0] != images.shape[0]) {
    fail("{}: there are {} images and {} labels", where, images.shape[0], labels.shape[0]);
  }
  split.channels = images.shape.size() == 4 ? images.shape[1] : 1;
  split.height = images.shape[images.shape.size() - 2];
  split.width = images.shape[images.shape.size() - 1];
  split.pixels = std::move(images.data);
  split.labels.assign(labels.data.begin(), labels.data.end());
  if (split.classes.empty()) {
    const int32_t largest = *std::max_element(split.labels.begin(), split.labels.end());
    for (int32_t c = 0; c <= largest; ++c) split.classes.push_back(std::to_string(c));
  }
}

Dataset load_dataset(const std::string& name_or_folder, const std::string& split,
                     const LoadOptions& options) {
  const DataDescriptor descriptor = describe_data(name_or_folder);
  const std::string where = descriptor.where();
  if (!descriptor.splits.contains(split)) fail("{} has no {} split", where, split);
  Dataset data;
  data.name = descriptor.name;
  data.split = split;
  data.classes = descriptor.classes;
  if (descriptor.format == "idx") {
    read_idx_split(descriptor, data);
  } else if (descriptor.format == "images") {
    read_image_split(descriptor, options, data);
  } else {
    read_cifar_split(descriptor, data);
  }
  const auto size = descriptor.sizes.find(split);
  const int64_t read = data.size() + static_cast<int64_t>(data.skipped.size());
  if (size != descriptor.sizes.end() && size->second != read) {
    fail("{}: the {} split has {} images, not {}", where, split, read, size->second);
  }
  // A model that takes other channels than the data has is told so by its caller.
  const bool given = static_cast<int64_t>(options.mean.size()) == data.channels;
  data.mean = given ? options.mean : descriptor.mean;
  data.deviation = given ? options.deviation : descriptor.deviation;
  if (data.mean.empty()) {
    if (split == "train") {
      compute_statistics(data);
    } else {
      const Dataset training = load_dataset(name_or_folder, "train", options);
      data.mean = training.mean;
      data.deviation = training.deviation;
    }
  }
  if (options.unlabelled) {
    data.classes.clear();
    std::fill(data.labels.begin(), data.labels.end(), 0);
  }
  check(data, where, options.unlabelled);
  return data;
}

void check_classes(const std::vector<std::string>& classes, const Dataset& data) {
  if (data.classes.empty()) return;
  for (size_t c = 0; c < classes.size(); ++c) {
    if (classes[c] != data.classes.at(c)) {
      fail("class {} of the model is \"{}\", of the data set {} \"{}\"", c, classes[c], data.name,
           data.classes[c]);
    }
  }
}

std::string digest(const Dataset& data) {
  const std::string_view pixels(reinterpret_cast<const char*>(data.pixels.data()),
                                data.pixels.size());
  std::string labels;
  for (const int32_t label : data.labels) labels += std::to_string(label) + " ";
  return sha256(sha256(pixels) + sha256(labels));
}

std::pair<Dataset, Dataset> split_validation(const Dataset& data) {
  const int64_t count = std::min<int64_t>(5000, data.size() / 10);
  if (count < 1) fail("{} has only {} images; ten are needed", data.name, data.size());
  std::vector<int64_t> order = shuffled(data.size());
  std::sort(order.begin(), order.begin() + count);
  std::sort(order.begin() + count, order.end());
  const std::span<const int64_t> all(order);
  Dataset validation = subset(data, all.first(static_cast<size_t>(count)));
  validation.split = "validation";
  return {subset(data, all.subspan(static_cast<size_t>(count))), std::move(validation)};
}

Dataset take(const Dataset& data, int64_t count) {
  if (count >= data.size()) return data;
  const std::vector<int64_t> order = shuffled(data.size());
  std::vector<int64_t> some(order.begin(), order.begin() + count);
  std::sort(some.begin(), some.end());
  return subset(data, some);
}

std::vector<float> normalised(const Dataset& data, std::span<const int64_t> indices) {
  const auto area = static_cast<size_t>(data.height * data.width);
  const auto channels = static_cast<size_t>(data.channels);
  std::vector<float> batch(indices.size() * channels * area);
  float* to = batch.data();
  for (const int64_t index : indices) {
    const size_t size = channels * area;
    runtime::normalise_pixels(data.pixels.data() + static_cast<size_t>(index) * size, size,
                              data.mean, data.deviation, to);
    to += size;
  }
  return batch;
}

}  // namespace nestling
