#include "data/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "base/random.h"
#include "data/idx.h"
#include "data/image.h"

namespace nestling {
namespace fs = std::filesystem;
namespace {

fs::path find_folder(const std::string& name) {
  std::error_code error;
  if (fs::exists(fs::path(name) / "dataset.json", error)) return name;
  const char* root = std::getenv("NESTLING_DATA");
  fs::path folder = fs::path(root != nullptr ? root : "data") / name;
  if (fs::exists(folder / "dataset.json", error)) return folder;
  fail("there is no data set {}: neither {} nor {} exists; datasets/fetch.sh fetches known ones",
       name, (fs::path(name) / "dataset.json").string(), (folder / "dataset.json").string());
}

// A file of the data set; names that lead out of its folder are refused.
fs::path member(const fs::path& folder, const std::string& file, const std::string& where) {
  const fs::path path(file);
  if (path.is_absolute() || file.find("..") != std::string::npos) {
    fail("{}: the file {} is not inside the folder", where, file);
  }
  return folder / path;
}

void check(const Dataset& data, const std::string& where) {
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
  if (data.classes.size() < 2) fail("{}: a data set has at least two classes", where);
  for (const int32_t label : data.labels) {
    if (static_cast<size_t>(label) >= data.classes.size()) {
      fail("{}: the label {} is not one of the {} classes", where, label, data.classes.size());
    }
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

}  // namespace

Dataset load_dataset(const std::string& name_or_folder, const std::string& split) {
  const fs::path folder = find_folder(name_or_folder);
  const std::string where = (folder / "dataset.json").string();
  const Json json = read_json(where);
  check_schema(json, "nestling/dataset/1", where);
  Dataset data;
  data.name = field<std::string>(json, "name", where);
  data.split = split;
  data.classes = field<std::vector<std::string>>(json, "classes", where);
  data.mean = field<std::vector<float>>(json, "mean", where);
  data.deviation = field<std::vector<float>>(json, "deviation", where);
  const auto format = field<std::string>(json, "format", where);
  if (format != "idx") fail("{}: the format {} is not supported; idx is", where, format);
  const Json files = field<Json>(field<Json>(json, "splits", where), split.c_str(), where);

  IdxArray images = read_idx(member(folder, field<std::string>(files, "images", where), where));
  const IdxArray labels =
      read_idx(member(folder, field<std::string>(files, "labels", where), where));
  if (images.shape.size() != 3 && images.shape.size() != 4) {
    fail("{}: the images are not [N, H, W] or [N, C, H, W]", where);
  }
  if (labels.shape.size() != 1 || labels.shape[0] != images.shape[0]) {
    fail("{}: there are {} images and {} labels", where, images.shape[0], labels.shape[0]);
  }
  data.channels = images.shape.size() == 4 ? images.shape[1] : 1;
  data.height = images.shape[images.shape.size() - 2];
  data.width = images.shape[images.shape.size() - 1];
  data.pixels = std::move(images.data);
  data.labels.assign(labels.data.begin(), labels.data.end());
  check(data, where);
  return data;
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
  std::vector<int64_t> order(static_cast<size_t>(data.size()));
  std::iota(order.begin(), order.end(), 0);
  Random(static_cast<uint64_t>(data.size())).shuffle(order);
  std::sort(order.begin(), order.begin() + count);
  std::sort(order.begin() + count, order.end());
  const std::span<const int64_t> all(order);
  Dataset validation = subset(data, all.first(static_cast<size_t>(count)));
  validation.split = "validation";
  return {subset(data, all.subspan(static_cast<size_t>(count))), std::move(validation)};
}

Dataset take(const Dataset& data, int64_t count) {
  std::vector<int64_t> order(static_cast<size_t>(std::min(count, data.size())));
  std::iota(order.begin(), order.end(), 0);
  return subset(data, order);
}

std::vector<float> normalised(const Dataset& data, std::span<const int64_t> indices) {
  const auto area = static_cast<size_t>(data.height * data.width);
  const auto channels = static_cast<size_t>(data.channels);
  std::vector<float> batch(indices.size() * channels * area);
  float* to = batch.data();
  for (const int64_t index : indices) {
    const size_t size = channels * area;
    const std::span<const uint8_t> pixels(data.pixels.data() + static_cast<size_t>(index) * size,
                                          size);
    normalise(pixels, data.mean, data.deviation, to);
    to += size;
  }
  return batch;
}

}  // namespace nestling
