#include "train/fit.h"

#include "base/error.h"
#include "graph/classifier.h"

namespace nestling {

void check_images(const Graph& graph, const Dataset& data) {
  const ImageShape shape = image_input(graph);
  if (shape.channels != data.channels || shape.height != data.height || shape.width != data.width) {
    fail("the network takes {}x{}x{} images, the data set {} has {}x{}x{}", shape.channels,
         shape.height, shape.width, data.name, data.channels, data.height, data.width);
  }
}

void check_fits(const Graph& graph, const Dataset& data) {
  check_images(graph, data);
  if (data.classes.empty()) return;
  if (class_count(graph) != static_cast<int64_t>(data.classes.size())) {
    fail("the network has {} classes, the data set {} has {}", class_count(graph), data.name,
         data.classes.size());
  }
  check_classes(classifier_info(graph, "the network").classes, data);
}

LoadOptions load_options(const Graph& graph, const std::string& where) {
  const ImageShape shape = image_input(graph);
  LoadOptions options{.channels = shape.channels, .height = shape.height, .width = shape.width};
  const Preprocess preprocess = classifier_info(graph, where).preprocess;
  if (graph.metadata.contains("nestling.resize")) options.resize = preprocess.resize;
  if (graph.metadata.contains("nestling.mean")) {
    options.mean = preprocess.mean;
    options.deviation = preprocess.deviation;
  }
  return options;
}

void adopt(Graph& graph, const Dataset& data) {
  Graph with_all = graph;
  set_classifier_info(with_all, {data.classes, {data.resize, data.mean, data.deviation}});
  graph.metadata.merge(with_all.metadata);  // what is there stays
}

}  // namespace nestling
