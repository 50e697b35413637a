// The multi-capacity model: a Graph whose smaller capacities are prefixes of its channel groups.
//
// On disk it is a plain ONNX file: the graph is the largest capacity; the metadata
// `nestling.nesting` holds this structure as JSON; a tensor NAME that capacity k has for itself
// (its classifier head, its batch-norm parameters) is the extra initializer `capacityk/NAME`.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace nestling {

enum class Growth {
  causal,  // frozen filters never see newer channels: feature maps are reused exactly
  full,    // frozen filters also see newer channels through new weights (NestDNN section 3.2)
};

const char* growth_name(Growth growth);
Growth growth_from_name(const std::string& name);  // throws Error

struct NestedGroup {
  std::string name;             // of the channel group
  std::vector<int64_t> widths;  // by capacity, never falling; the last is the graph's width

  bool operator==(const NestedGroup&) const = default;
};

struct Nesting {
  Growth growth = Growth::full;
  std::vector<NestedGroup> groups;
  std::vector<std::string> own;  // names of constants of which every capacity has its own
  std::vector<double> accuracy;  // by capacity, on the validation split

  int capacities() const { return static_cast<int>(accuracy.size()); }
  bool operator==(const Nesting&) const = default;
};

// The nesting in the graph's metadata; a graph without any is one capacity. Throws Error if it
// does not fit the graph. `where` names the file in messages.
bool is_nested(const Graph& graph);
Nesting nesting_of(const Graph& graph, const std::string& where);
void set_nesting(Graph& graph, const Nesting& nesting);

// The name of capacity `capacity`'s own version of the constant `name`.
std::string own_name(int capacity, const std::string& name);

// Capacity `capacity` (1 is the smallest) as a graph of its own. Throws Error if there is no such
// capacity.
Graph descend(const Graph& nested, const Nesting& nesting, int capacity);

}  // namespace nestling
