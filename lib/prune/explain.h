// What can be cut of a network, and what cannot: the groups as people look at them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "graph/graph.h"
#include "graph/groups.h"

namespace nestling {

struct GroupReport {
  std::string name;
  int64_t channels = 0;
  std::vector<std::string> layers;   // nodes with weights whose filters go with its channels
  std::vector<std::string> readers;  // nodes with weights that only read them
  bool fixed = false;
  std::string reason;            // why it is fixed
  int64_t macs_per_channel = 0;  // that go with one channel; 0 if it is fixed
  int64_t parameters_per_channel = 0;
};

// By group, GroupReport::layers.
std::vector<std::vector<std::string>> layers_of(const Graph& graph, const ChannelGroups& groups);

// One report a group.
std::vector<GroupReport> describe_groups(const Graph& graph, const ChannelGroups& groups);

// A table and a line on what is fixed and why.
std::string explain_as_text(const Graph& graph, const std::vector<GroupReport>& groups);
// schemas/groups.schema.json
Json explain_as_json(const Graph& graph, const std::vector<GroupReport>& groups);
// For Graphviz: groups, and an arrow to each group whose layers read them.
std::string explain_as_dot(const Graph& graph, const std::vector<GroupReport>& groups);

}  // namespace nestling
