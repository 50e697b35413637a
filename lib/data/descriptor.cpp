#include "data/descriptor.h"

#include <cstdlib>
#include <system_error>

#include "base/error.h"
#include "base/json_fields.h"
#include "data/formats.h"

namespace nestling {
namespace fs = std::filesystem;
namespace {

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

fs::path find_folder(const std::string& name) {
  if (!name.empty() && is_folder(name)) return name;
  const char* root = std::getenv("NESTLING_DATA");
  fs::path folder = fs::path(root != nullptr ? root : "data") / name;
  if (!name.empty() && is_folder(folder)) return folder;
  fail(
      "there is no data set {}: neither {} nor {} is a folder; datasets/fetch.sh fetches known "
      "ones",
      name, name, folder.string());
}

// A file of the data set; names that lead out of its folder are refused.
fs::path member(const std::string& file, const std::string& where) {
  fs::path path(file);
  if (path.is_absolute() || file.find("..") != std::string::npos) {
    fail("{}: the file {} is not inside the folder", where, file);
  }
  return path;
}

void read_split(DataDescriptor& data, const std::string& name, const Json& json) {
  const std::string where = data.where();
  std::vector<fs::path>& files = data.splits[name];
  if (data.format == "idx") {
    for (const char* key : {"images", "labels"}) {
      files.push_back(member(field<std::string>(json, key, where), where));
    }
  } else if (data.format == "images") {
    files.push_back(member(field<std::string>(json, "folder", where), where));
  } else {
    for (const auto& file : field<std::vector<std::string>>(json, "files", where)) {
      files.push_back(member(file, where));
    }
  }
  if (json.contains("count")) data.sizes[name] = field<int64_t>(json, "count", where);
}

void read_descriptor(DataDescriptor& data) {
  const std::string where = data.where();
  const Json json = read_json(where);
  check_schema(json, "nestling/dataset/1", where);
  data.name = field<std::string>(json, "name", where);
  data.format = field<std::string>(json, "format", where);
  if (data.format != "idx" && data.format != "cifar10" && data.format != "cifar100" &&
      data.format != "images") {
    fail("{}: the format {} is not supported; idx, cifar10, cifar100 and images are", where,
         data.format);
  }
  using Floats = std::vector<float>;
  data.classes = field_or<std::vector<std::string>>(json, "classes", where, {});
  data.mean = field_or<Floats>(json, "mean", where, {});
  data.deviation = field_or<Floats>(json, "deviation", where, {});
  data.resize = field_or<int64_t>(json, "resize", where, 0);
  if (json.contains("image")) {
    const auto image = field<std::vector<int64_t>>(json, "image", where);
    if (image.size() != 3) fail("{}: the field \"image\" is not [channels, height, width]", where);
    data.channels = image[0];
    data.height = image[1];
    data.width = image[2];
  }
  for (const int64_t size : {data.channels, data.height, data.width, data.resize}) {
    if (size < 0 || size > 1 << 14) fail("{}: a size of the images is out of range", where);
  }
  const Json splits = field<Json>(json, "splits", where);
  if (!splits.is_object()) fail("{}: the field \"splits\" has the wrong type", where);
  for (const auto& [name, split] : splits.items()) read_split(data, name, split);
}

bool holds_images(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (is_image(at->path())) return true;
  }
  return false;
}

// Fills in format and splits from the files that are there; false if they are of no known format.
bool recognise(DataDescriptor& data) {
  const auto there = [&](const char* name) { return is_there(data.folder / name); };
  const auto idx = [&](const std::string& name) {
    return fs::path(there((name + ".gz").c_str()) ? name + ".gz" : name);
  };
  if (there("data_batch_1.bin")) {
    data.format = "cifar10";
    data.splits["train"] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                            "data_batch_4.bin", "data_batch_5.bin"};
    data.splits["test"] = {"test_batch.bin"};
  } else if (there("train.bin")) {
    data.format = "cifar100";
    data.splits["train"] = {"train.bin"};
    data.splits["test"] = {"test.bin"};
  } else if (there("train-images-idx3-ubyte") || there("train-images-idx3-ubyte.gz")) {
    data.format = "idx";
    data.splits["train"] = {idx("train-images-idx3-ubyte"), idx("train-labels-idx1-ubyte")};
    data.splits["test"] = {idx("t10k-images-idx3-ubyte"), idx("t10k-labels-idx1-ubyte")};
  } else if (is_folder(data.folder / "train")) {
    data.format = "images";
    data.splits["train"] = {"train"};
    for (const char* name : {"test", "val"}) {
      if (is_folder(data.folder / name) && !data.splits.contains("test")) {
        data.splits["test"] = {name};
      }
    }
  } else if (holds_images(data.folder)) {
    data.format = "images";
    data.splits["train"] = data.splits["test"] = {"."};
  }
  return !data.format.empty();
}

}  // namespace

std::string DataDescriptor::where() const {
  const fs::path file = folder / "dataset.json";
  return (is_there(file) ? file : folder).string();
}

DataDescriptor describe_data(const std::string& name_or_folder) {
  DataDescriptor data;
  data.folder = find_folder(name_or_folder);
  if (is_there(data.folder / "dataset.json")) {
    read_descriptor(data);
    return data;
  }
  fs::path path = fs::absolute(data.folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // the name ended with a slash
  data.name = path.filename().string();
  if (!recognise(data)) {
    fail(
        "{} holds no data set: neither a dataset.json, nor train/CLASS/ folders of images, nor "
        "images, nor CIFAR's data_batch_1.bin or train.bin, nor MNIST's train-images-idx3-ubyte",
        data.folder.string());
  }
  return data;
}

}  // namespace nestling
