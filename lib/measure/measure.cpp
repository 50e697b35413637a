#include "measure/measure.h"

#include <algorithm>
#include <chrono>

#include "measure/frame.h"
#include "runtime/pixels.h"

#include "base/cosine.h"
#include "base/error.h"

namespace nestling {
namespace {

// The milliseconds that `work` takes.
template <typename F>
double time_ms(const F& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

// Of all outputs together.
size_t output_floats(const runtime::Model& model) {
  size_t floats = 0;
  for (size_t i = 0; i < model.header().outputs.size(); ++i) floats += model.output_floats(i);
  return floats;
}

}  // namespace

void check(const runtime::Status& status) {
  if (!status.ok()) fail("{}", status.text());
}

runtime::Model open_package(const std::string& path, const runtime::ModelOptions& options) {
  auto opened = runtime::Model::open(path.c_str(), options);
  check(opened.status());
  return std::move(opened.value());
}

std::vector<uint32_t> image_shape(const runtime::Model& model) {
  std::vector<uint32_t> shape = model.input_shape();
  if (model.header().inputs.size() != 1 || shape.size() != 4 || shape[0] != 1) {
    fail("the package does not take images");
  }
  return shape;
}

void for_each_image(const runtime::Model& model, const Dataset& data, Progress& progress,
                    const std::function<void(int64_t n, const float* input)>& run) {
  const runtime::PackageHeader& header = model.header();
  const std::vector<uint32_t> in = image_shape(model);
  if (in[1] != data.channels || in[2] != data.height || in[3] != data.width) {
    fail("the package takes {}x{}x{} images, the data set {} has {}x{}x{}", in[1], in[2], in[3],
         data.name, data.channels, data.height, data.width);
  }
  const size_t outputs = output_floats(model);
  if (!data.classes.empty() && (header.outputs.size() != 1 || outputs != data.classes.size())) {
    fail("the package has {} outputs, the data set {} has {} classes", outputs, data.name,
         data.classes.size());
  }
  check_classes(header.classes, data);
  std::vector<float> image(model.input_floats());
  progress.begin("running", data.size());
  for (int64_t n = 0; n < data.size(); ++n) {
    // The package says how its images are prepared, whatever the data set would propose.
    runtime::normalise_pixels(data.pixels.data() + static_cast<size_t>(n) * image.size(),
                              image.size(), header.mean, header.deviation, image.data());
    run(n, image.data());
    progress.update(n + 1, "");
  }
}

std::vector<float> run_all(runtime::Model& model, const Dataset& data, Progress& progress) {
  const size_t outputs = output_floats(model);
  std::vector<float> result(static_cast<size_t>(data.size()) * outputs);
  for_each_image(model, data, progress, [&](int64_t n, const float* input) {
    std::vector<float*> to{result.data() + static_cast<size_t>(n) * outputs};
    for (size_t i = 1; i < model.header().outputs.size(); ++i) {
      to.push_back(to.back() + model.output_floats(i - 1));
    }
    check(model.run(&input, to.data()));
  });
  return result;
}

double accuracy_of(const std::vector<float>& outputs, const Dataset& data) {
  const size_t classes = outputs.size() / static_cast<size_t>(data.size());
  int64_t right = 0;
  for (size_t n = 0; n < data.labels.size(); ++n) {
    const auto row = outputs.begin() + static_cast<std::ptrdiff_t>(n * classes);
    right +=
        std::max_element(row, row + static_cast<std::ptrdiff_t>(classes)) - row == data.labels[n];
  }
  return static_cast<double>(right) / static_cast<double>(data.size());
}

double cosine_of(const std::vector<float>& outputs, const std::vector<float>& others,
                 int64_t count) {
  const size_t width = outputs.size() / static_cast<size_t>(count);
  double sum = 0;
  for (size_t row = 0; row < outputs.size(); row += width) {
    sum += cosine(std::span(outputs).subspan(row, width), std::span(others).subspan(row, width));
  }
  return sum / static_cast<double>(count);
}

Latency measure_latency(runtime::Model& model, int runs) {
  const Frame frame(model);
  const auto run = [&] { check(model.run(frame.inputs(), frame.outputs())); };
  for (int i = 0; i < std::max(3, runs / 10); ++i) run();
  std::vector<double> times;
  times.reserve(static_cast<size_t>(runs));
  for (int i = 0; i < runs; ++i) times.push_back(time_ms(run));
  return {*std::min_element(times.begin(), times.end()), quantile(times, 0.5), quantile(times, 0.9),
          runs};
}

Paging measure_paging(runtime::Model& model, uint32_t capacity, int runs) {
  std::vector<double> up, down;
  up.reserve(static_cast<size_t>(runs));
  down.reserve(static_cast<size_t>(runs));
  for (int i = 0; i < runs; ++i) {
    check(model.set_capacity(capacity - 1));
    up.push_back(time_ms([&] { check(model.set_capacity(capacity)); }));
    down.push_back(time_ms([&] { check(model.set_capacity(capacity - 1)); }));
  }
  check(model.set_capacity(capacity));
  return {model.header().segments[capacity - 1].bytes, quantile(up, 0.5), quantile(down, 0.5)};
}

}  // namespace nestling
