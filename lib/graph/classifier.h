// What a classifier knows about its data: class names and preprocessing, kept in the metadata of
// the ONNX file (`nestling.classes`, `nestling.mean`, `nestling.deviation`, `nestling.resize`, each
// a JSON text) and in the header of the package.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace nestling {

// From an image to the network's input: resize the shorter side to `resize` (0: the image is
// brought to the input's size directly), cut the input's height and width from the centre, then
// (pixel / 255 - mean) / deviation per channel.
struct Preprocess {
  int64_t resize = 0;
  std::vector<float> mean;       // per channel, of pixel values from 0 to 1
  std::vector<float> deviation;  // per channel, positive

  bool operator==(const Preprocess&) const = default;
};

struct ClassifierInfo {
  std::vector<std::string> classes;  // empty if unknown
  Preprocess preprocess;
};

// Reads the metadata; defaults (no names, mean 0, deviation 1) where there is none. A graph
// that takes no images has no preprocessing. Throws Error if it does not fit the graph's shapes.
// `where` names the file in messages.
ClassifierInfo classifier_info(const Graph& graph, const std::string& where);

// Write the metadata: all of it, or only the part named; the rest stays as it is.
void set_classifier_info(Graph& graph, const ClassifierInfo& info);
void set_classes(Graph& graph, const std::vector<std::string>& classes);
void set_normalisation(Graph& graph, const std::vector<float>& mean,
                       const std::vector<float>& deviation);

}  // namespace nestling
