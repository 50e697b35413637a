// From the Graph's nodes to the runtime's.
#pragma once

#include <string>
#include <vector>

#include "runtime/package_format.h"

#include "graph/graph.h"
#include "graph/groups.h"
#include "graph/nesting.h"

namespace nestling {

// Where the numbers of a runtime node come from: names of the Graph's constants, "" for none.
struct LayerSource {
  std::string weight;  // conv and depthwise
  std::string bias;
  std::string scale, shift, mean, variance;  // of a batch norm
  float epsilon = 0;
};

struct Lowered {
  runtime::PackageHeader header;     // its segments have no offset, size and checksum yet
  std::vector<LayerSource> sources;  // by node of the header
};

// Throws Error naming the node that the runtime cannot run.
Lowered lower(const Graph& graph, const Nesting& nesting);

}  // namespace nestling
