// From the Graph's nodes to the runtime's.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/package_format.h"

#include "graph/graph.h"
#include "graph/groups.h"
#include "graph/nesting.h"

namespace nestling {

// Where the numbers of a layer come from: names of the Graph's constants, "" for none.
struct LayerSource {
  std::string weight;
  std::string bias;
  std::string scale, shift;    // of a batch norm, or factors and addends of channels
  std::string mean, variance;  // of a batch norm
  float epsilon = 0;
};

// The numbers of a constant, given the Graph of one capacity.
using ConstantSource = std::function<Tensor(const Graph& capacity)>;

struct Lowered {
  runtime::PackageHeader header;     // its segments have no offset, size and checksum yet
  std::vector<LayerSource> sources;  // by node of the header
  std::map<uint32_t, ConstantSource> constants;  // by value of the header
};

// Throws Error naming the node that the runtime cannot run.
Lowered lower(const Graph& graph, const Nesting& nesting);

}  // namespace nestling
