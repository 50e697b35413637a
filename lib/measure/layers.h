// Where the time of an inference goes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/model.h"

#include "base/json.h"

namespace nestling {

// A layer at a model's present capacity.
struct LayerProfile {
  std::string op;
  std::vector<uint32_t> shape;  // of its output
  std::vector<uint32_t> kernel, stride;
  uint64_t macs = 0;     // multiply-accumulates of its weights; 0 if it has none
  double median_ms = 0;  // over the inferences
};

// Inferences of a grey image with the time of each layer in them.
struct LayerTimes {
  std::vector<LayerProfile> layers;                   // in the order in which they run
  std::vector<std::vector<runtime::LayerTime>> runs;  // each inference
};

// At least one inference, after a warm-up.
LayerTimes measure_layers(runtime::Model& model, int runs);

// As an array of objects {op, shape, kernel, stride, macs, median_ms}.
Json layers_json(const LayerTimes& times);

// For people: a line a layer.
std::string layers_table(const LayerTimes& times);

// In Chrome's trace event format, which Perfetto opens: one complete event a layer, the inferences
// one behind the other.
Json trace_json(const LayerTimes& times);

}  // namespace nestling
