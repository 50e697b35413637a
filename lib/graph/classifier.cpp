#include "graph/classifier.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json_fields.h"

namespace nestling {
namespace {

// The metadata `key` as a T, or `otherwise`.
template <typename T>
T metadata(const Graph& graph, const char* key, const std::string& where, T otherwise) {
  const auto found = graph.metadata.find(key);
  if (found == graph.metadata.end()) return otherwise;
  const std::string place = where + ", metadata " + key;
  return value_of<T>(parse_json(found->second, place), place);
}

}  // namespace

ClassifierInfo classifier_info(const Graph& graph, const std::string& where) {
  const Shape in = graph.inputs.empty() ? Shape{} : graph.value(graph.inputs[0]).shape;
  const Shape out = graph.outputs.empty() ? Shape{} : graph.value(graph.outputs[0]).shape;
  const auto channels = in.size() == 4 ? static_cast<size_t>(in[1]) : 0;
  ClassifierInfo info;
  info.classes = metadata(graph, "nestling.classes", where, info.classes);
  const int64_t outputs = out.size() == 2 ? out[1] : 0;
  if (!info.classes.empty() && info.classes.size() != static_cast<size_t>(outputs)) {
    fail("{} names {} classes but has {} outputs", where, info.classes.size(), outputs);
  }
  Preprocess& preprocess = info.preprocess;
  preprocess.mean = metadata(graph, "nestling.mean", where, std::vector<float>(channels, 0.0F));
  preprocess.deviation =
      metadata(graph, "nestling.deviation", where, std::vector<float>(channels, 1.0F));
  if (preprocess.mean.size() != channels || preprocess.deviation.size() != channels) {
    fail("{}: nestling.mean and nestling.deviation need one number for each of the {} channels",
         where, channels);
  }
  for (size_t c = 0; c < channels; ++c) {
    if (!std::isfinite(preprocess.mean[c]) || !std::isfinite(preprocess.deviation[c]) ||
        preprocess.deviation[c] <= 0) {
      fail("{}: nestling.mean must be finite and nestling.deviation positive", where);
    }
  }
  preprocess.resize = metadata(graph, "nestling.resize", where, preprocess.resize);
  if (preprocess.resize < 0 || preprocess.resize > 1 << 14) {
    fail("{}: nestling.resize is out of range", where);
  }
  return info;
}

void set_classifier_info(Graph& graph, const ClassifierInfo& info) {
  set_classes(graph, info.classes);
  set_normalisation(graph, info.preprocess.mean, info.preprocess.deviation);
  graph.metadata["nestling.resize"] = std::to_string(info.preprocess.resize);
}

void set_classes(Graph& graph, const std::vector<std::string>& classes) {
  graph.metadata["nestling.classes"] = Json(classes).dump();
}

void set_normalisation(Graph& graph, const std::vector<float>& mean,
                       const std::vector<float>& deviation) {
  graph.metadata["nestling.mean"] = Json(mean).dump();
  graph.metadata["nestling.deviation"] = Json(deviation).dump();
}

}  // namespace nestling
