// The multi-capacity model: a Graph whose smaller capacities are prefixes of its channel groups.
//
// On disk (schemas/nesting.schema.json) it is a plain ONNX file: the graph is the largest capacity;
// the metadata `nestling.nesting` holds this structure as JSON; a tensor NAME that capacity k has
// for itself (its classifier head, its batch-norm parameters) is the extra initializer
// `capacityk/NAME`.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/groups.h"
#include "graph/surgery.h"

namespace nestling {

enum class Growth {
  causal,  // filters never see the channels of larger capacities: feature maps are reused exactly
  full,    // frozen filters also see newer channels through new weights (NestDNN section 3.2)
  joint,   // nothing is frozen: all capacities are trained together over the same weights
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

// The nesting in the graph's metadata; a graph without any is one capacity. Throws Error if it does
// not fit the graph. `where` names the file in messages.
Nesting nesting_of(const Graph& graph, const std::string& where);
void set_nesting(Graph& graph, const Nesting& nesting);

// The name of capacity `capacity`'s own version of the constant `name`; of the largest capacity it
// is `name` itself.
std::string own_name(const Nesting& nesting, int capacity, const std::string& name);

// The channels of capacity `capacity` (1 is the smallest): prefixes of the groups of `groups`.
KeptChannels prefixes(const ChannelGroups& groups, const Nesting& nesting, int capacity);

// The constants of `graph` of which every capacity has its own: the classifier head, which is what
// no layer comes behind; but for causal growth also the batch norms and biases. In causal growth,
// where filters do not see what larger capacities add, all layers whose filters cannot be cut.
std::vector<std::string> own_constants(const Graph& graph, Growth growth);

// Capacity `capacity` as a graph of its own. Throws Error if there is no such capacity.
Graph descend(const Graph& nested, const Nesting& nesting, int capacity);

// The other way round: the largest capacity's graph with the tensors that the smaller ones,
// `capacities` from 1 on, have for themselves, and the nesting in its metadata.
Graph nest(const std::vector<Graph>& capacities, const Nesting& nesting);

}  // namespace nestling
