// Networks for users who bring none: the CNNs of the field's papers at the sizes of small images.
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
};

// "small":    five 3x3 convolutions of 16, 32, 32, 64, 64 filters
// "vgg16":    VGG-16 for small images (Simonyan and Zisserman, ICLR 2015; one fully connected
// layer) "resnet20": ResNet-20 for small images (He et al., CVPR 2016, section 4.2; with
// projections)
std::vector<std::string> zoo_names();

// An untrained network, every convolution with batch norm, its weights drawn as He et al. (ICCV
// 2015) propose. Input "input" [N, channels, height, width], output "logits" [N, classes]. Throws
// Error for an unknown name, or an input too small for the network's poolings.
Graph make_model(const std::string& name, const ZooOptions& options);

}  // namespace nestling
