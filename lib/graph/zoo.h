// Networks for users who bring none: the CNNs of the field's papers.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace nestling {

struct ZooOptions {
  int64_t classes = 10;
  int64_t channels = 3;
  int64_t height = 32;
  int64_t width = 32;
  double multiplier = 1;  // of every layer's filters, at least 8 each
  uint64_t seed = 1;      // of the weights
  bool outline = false;   // without weights, as surgery.h's outline: for costs
};

struct Architecture {
  std::string name;
  std::string description;  // and the paper
  int64_t extent;           // of the images that its figures are for
  int64_t classes;
};

// In the order in which --list shows them. Those made for 224x224 leave out their first two
// halvings on images below 96 pixels, and vgg16 two of its fully connected layers.
const std::vector<Architecture>& architectures();
std::vector<std::string> zoo_names();

// An untrained network, its weights drawn as He et al. (ICCV 2015) propose. Input "input" [N,
// channels, height, width], output "logits" [N, classes]. Throws Error for an unknown name, or an
// input too small for the network's poolings.
Graph make_model(const std::string& name, const ZooOptions& options);

}  // namespace nestling
