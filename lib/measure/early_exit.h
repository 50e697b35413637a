// Answers from the smallest capacity that is sure enough.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/model.h"

#include "base/json.h"
#include "base/progress.h"
#include "data/dataset.h"

namespace nestling {

// The outputs of a classifier as probabilities: as they are if its last layer is a softmax,
// otherwise their softmax.
std::vector<double> probabilities(const runtime::PackageHeader& header,
                                  std::span<const float> outputs);

// The first answer of a refinable classifier whose highest probability is at least `confidence`,
// from capacity 1 up to the present one, which always answers. Returns the capacity that did.
uint32_t answer_early(runtime::Model& model, const float* input, double confidence, float* output);

// What that is worth on a data set.
struct EarlyExit {
  double confidence = 0;
  double accuracy = 0;
  double mean_macs = 0;             // of an image, with what the capacities before the answer took
  double mean_ms = 0;               // likewise
  std::vector<int64_t> answered;    // images, by capacity
  std::vector<float> outputs = {};  // the answers, one image's behind another's; not in the object
};
EarlyExit measure_early_exit(runtime::Model& model, const Dataset& data, double confidence,
                             Progress& progress);

// As an object with these names, and back.
Json early_exit_json(const EarlyExit& exit);
EarlyExit early_exit_of(const Json& json);

// For people: a line for each.
std::string early_exit_table(const std::vector<EarlyExit>& exits);

}  // namespace nestling
