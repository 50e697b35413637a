// Measures a package with the runtime that ships.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/model.h"

#include "base/progress.h"
#include "data/dataset.h"

namespace nestling {

// Opens a package; throws Error with the runtime's sentence if it cannot.
runtime::Model open_package(const std::string& path, const runtime::ModelOptions& options = {});

// Throws Error with the status's sentence unless it is ok.
void check(const runtime::Status& status);

// [1, channels, height, width] of the only input. Throws Error if the package takes something else.
std::vector<uint32_t> image_shape(const runtime::Model& model);

// Calls run(n, input) for every image, prepared as the package says. Throws Error if the data does
// not fit the model, which, if it is labelled, must be a classifier of its classes.
void for_each_image(const runtime::Model& model, const Dataset& data, Progress& progress,
                    const std::function<void(int64_t n, const float* input)>& run);

// The outputs for every image, [N, outputs], several outputs one behind the other. Throws Error as
// for_each_image.
std::vector<float> run_all(runtime::Model& model, const Dataset& data, Progress& progress);

// The share of rows whose highest output is their label.
double accuracy_of(const std::vector<float>& outputs, const Dataset& data);

// The mean cosine of the angle between rows, of which there are `count`.
double cosine_of(const std::vector<float>& outputs, const std::vector<float>& others,
                 int64_t count);

// In milliseconds.
struct Latency {
  double min = 0, median = 0, p90 = 0;
  int runs = 0;
};

// Of single inferences at the model's present capacity, after a warm-up. At least `runs`.
Latency measure_latency(runtime::Model& model, int runs);

// What it takes to come to `capacity` from the one below, and to go back there.
struct Paging {
  uint64_t bytes = 0;
  double upgrade_ms = 0, downgrade_ms = 0;  // medians
};
Paging measure_paging(runtime::Model& model, uint32_t capacity, int runs);

}  // namespace nestling
