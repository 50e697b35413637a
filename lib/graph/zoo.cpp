#include "graph/zoo.h"

#include <fmt/ranges.h>

#include "base/error.h"
#include "graph/zoo/builder.h"

namespace nestling {
namespace {

struct Entry {
  Architecture architecture;
  Graph (*make)(zoo::Builder);
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = {
      {{"small", "five 3x3 convolutions, for first steps", 32, 10}, zoo::small},
      {{"vgg16", "VGG-16 with batch norm, arXiv 1409.1556", 224, 1000}, zoo::vgg16},
      {{"resnet18", "arXiv 1512.03385", 224, 1000}, zoo::resnet18},
      {{"resnet50", "arXiv 1512.03385, stride in the 3x3", 224, 1000}, zoo::resnet50},
      {{"resnet20", "arXiv 1512.03385, for small images", 32, 10}, zoo::resnet20},
      {{"resnet56", "arXiv 1512.03385, for small images", 32, 10}, zoo::resnet56},
      {{"mobilenet_v1", "arXiv 1704.04861", 224, 1000}, zoo::mobilenet_v1},
      {{"mobilenet_v2", "arXiv 1801.04381", 224, 1000}, zoo::mobilenet_v2},
      {{"mobilenet_v3_small", "arXiv 1905.02244", 224, 1000}, zoo::mobilenet_v3_small},
      {{"squeezenet1_1", "arXiv 1602.07360, no batch norm", 224, 1000}, zoo::squeezenet1_1},
      {{"densenet121", "arXiv 1608.06993", 224, 1000}, zoo::densenet121},
      {{"shufflenet_v2", "arXiv 1807.11164, 1x", 224, 1000}, zoo::shufflenet_v2},
      {{"efficientnet_b0", "arXiv 1905.11946", 224, 1000}, zoo::efficientnet_b0},
      {{"googlenet", "arXiv 1409.4842 with batch norm", 224, 1000}, zoo::googlenet},
  };
  return all;
}

}  // namespace

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> all = [] {
    std::vector<Architecture> result;
    for (const Entry& entry : entries()) result.push_back(entry.architecture);
    return result;
  }();
  return all;
}

std::vector<std::string> zoo_names() {
  std::vector<std::string> names;
  for (const Architecture& architecture : architectures()) names.push_back(architecture.name);
  return names;
}

Graph make_model(const std::string& name, const ZooOptions& options) {
  for (const Entry& entry : entries()) {
    if (entry.architecture.name == name) return entry.make(zoo::Builder(name, options));
  }
  fail("there is no architecture {}; there are: {}", name, fmt::join(zoo_names(), ", "));
}

}  // namespace nestling
