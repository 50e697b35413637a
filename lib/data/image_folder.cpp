#include <algorithm>
#include <atomic>
#include <cctype>
#include <set>
#include <system_error>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "data/decode.h"
#include "data/formats.h"
#include "data/image.h"

namespace nestling {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    found.push_back(at->path());
  }
  if (error) fail("cannot read the folder {}: {}", folder.string(), error.message());
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> class_names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::path& entry : entries(folder)) {
    std::error_code error;
    if (fs::is_directory(entry, error)) names.push_back(entry.filename().string());
  }
  return names;
}

// Calls work(i) for every i below `count` on all cores.
template <typename F>
void for_each_index(size_t count, const F& work) {
  std::atomic<size_t> next = 0;
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < std::max(1U, std::thread::hardware_concurrency()); ++t) {
    threads.emplace_back([&] {
      for (size_t i = next++; i < count; i = next++) work(i);
    });
  }
}

// The input that the images are brought to, where neither caller nor descriptor says it: the size
// of the first readable image. Larger and smaller ones keep their proportions and are cropped.
ImageInput input_for(const DataDescriptor& data, const LoadOptions& options,
                     const std::vector<fs::path>& files) {
  ImageInput input;
  const auto either = [](int64_t a, int64_t b) { return a > 0 ? a : b; };
  input.channels = either(either(options.channels, data.channels), 3);
  input.height = either(options.height, data.height);
  input.width = either(options.width, data.width);
  for (size_t i = 0; i < files.size() && input.height == 0; ++i) {
    try {
      const Pixels first =
          decode_image(read_file(files[i], kMaxImageBytes), input.channels, files[i].string());
      input.height = first.height;
      input.width = first.width;
    } catch (const Error&) {  // told when all are read
    }
  }
  input.resize = options.resize.value_or(either(data.resize, std::max(input.height, input.width)));
  return input;
}

}  // namespace

bool is_image(const fs::path& path) {
  static const std::set<std::string> kExtensions = {".jpg", ".jpeg", ".png", ".pgm", ".ppm"};
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return kExtensions.contains(extension);
}

void read_image_split(const DataDescriptor& data, const LoadOptions& options, Dataset& split) {
  const fs::path folder = data.folder / data.splits.at(split.split).at(0);
  std::vector<fs::path> files;
  const auto add = [&](const fs::path& from, int32_t label) {
    for (const fs::path& file : entries(from)) {
      if (!is_image(file)) continue;
      files.push_back(file);
      split.labels.push_back(label);
    }
  };
  if (options.unlabelled) {
    add(folder, 0);
  } else if (split.classes.empty()) {
    split.classes = class_names(data.folder / data.splits.at("train").at(0));
  }
  for (const std::string& name : class_names(folder)) {
    const auto found = std::find(split.classes.begin(), split.classes.end(), name);
    if (found == split.classes.end() && !options.unlabelled) {
      fail("{} is not one of the {} classes of the training split", (folder / name).string(),
           split.classes.size());
    }
    add(folder / name, static_cast<int32_t>(found - split.classes.begin()));
  }
  if (files.empty()) {
    fail("{} holds no {}", folder.string(),
         options.unlabelled ? "images" : "CLASS/ folders of images");
  }

  const ImageInput input = input_for(data, options, files);
  split.channels = input.channels;
  split.height = input.height;
  split.width = input.width;
  split.resize = input.resize;
  const auto size = static_cast<size_t>(input.channels * input.height * input.width);
  constexpr size_t kMaxBytes = size_t{16} << 30;
  if (size > 0 && files.size() > kMaxBytes / size) {
    fail("{} has {} images of {} bytes, more than 16 GB", folder.string(), files.size(), size);
  }
  split.pixels.resize(files.size() * size);
  std::vector<std::string> problems(files.size());
  for_each_index(files.size(), [&](size_t i) {
    try {
      const std::string where = files[i].string();
      const Pixels pixels =
          decode_image(read_file(files[i], kMaxImageBytes), input.channels, where);
      const std::vector<uint8_t> scaled = scale_image(pixels, input, where);
      std::copy(scaled.begin(), scaled.end(),
                split.pixels.begin() + static_cast<std::ptrdiff_t>(i * size));
    } catch (const std::exception& error) {
      problems[i] = error.what();
    }
  });

  // What could not be read is left out.
  size_t kept = 0;
  for (size_t i = 0; i < files.size(); ++i) {
    if (!problems[i].empty()) {
      split.skipped.push_back(problems[i]);
      continue;
    }
    const auto from = split.pixels.begin() + static_cast<std::ptrdiff_t>(i * size);
    if (kept != i) {
      std::copy(from, from + static_cast<std::ptrdiff_t>(size),
                split.pixels.begin() + static_cast<std::ptrdiff_t>(kept * size));
    }
    split.labels[kept++] = split.labels[i];
  }
  split.pixels.resize(kept * size);
  split.labels.resize(kept);
  const auto skipped = static_cast<int64_t>(split.skipped.size());
  if (skipped > options.max_bad) {
    fail("{}; {} of {} images in {} cannot be read, --max-bad allows {}", split.skipped[0], skipped,
         files.size(), folder.string(), options.max_bad);
  }
}

}  // namespace nestling
