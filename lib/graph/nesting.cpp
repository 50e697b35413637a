#include "graph/nesting.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/json_fields.h"

namespace nestling {
namespace {

constexpr const char* kKey = "nestling.nesting";
constexpr const char* kSchema = "nestling/nesting/1";
constexpr size_t kMaxCapacities = 64;

void check(const Graph& graph, const Nesting& nesting, const std::string& where) {
  const auto capacities = static_cast<size_t>(nesting.capacities());
  if (capacities < 1 || capacities > kMaxCapacities) {
    fail("{} has {} capacities; 1 to {} are possible", where, capacities, kMaxCapacities);
  }
  const ChannelGroups groups = find_groups(graph);
  std::set<std::string> names;
  for (const NestedGroup& nested : nesting.groups) {
    const int32_t found = groups.find(nested.name);
    if (found < 0 || !names.insert(nested.name).second) {
      fail("{}: {} is not a channel group of the graph, or is named twice", where, nested.name);
    }
    const ChannelGroup& group = groups.groups[static_cast<size_t>(found)];
    if (group.fixed || nested.widths.size() != capacities || nested.widths.front() < 1 ||
        nested.widths.back() != group.width ||
        !std::is_sorted(nested.widths.begin(), nested.widths.end())) {
      fail("{}: the widths of {} do not fit its {} channels", where, nested.name, group.width);
    }
  }
  for (const ChannelGroup& group : groups.groups) {
    if (!group.fixed && !names.contains(group.name)) {
      fail("{}: the widths of {} are missing", where, group.name);
    }
  }
}

}  // namespace

const char* growth_name(Growth growth) {
  constexpr const char* kNames[] = {"causal", "full", "joint"};
  return kNames[static_cast<int>(growth)];
}

Growth growth_from_name(const std::string& name) {
  if (name == "causal") return Growth::causal;
  if (name == "full") return Growth::full;
  if (name == "joint") return Growth::joint;
  fail("there is no growth {}; there are: causal, full, joint", name);
}

std::string own_name(const Nesting& nesting, int capacity, const std::string& name) {
  return capacity == nesting.capacities() ? name : fmt::format("capacity{}/{}", capacity, name);
}

Nesting nesting_of(const Graph& graph, const std::string& file) {
  Nesting nesting;
  const auto found = graph.metadata.find(kKey);
  if (found == graph.metadata.end()) {
    for (const ChannelGroup& group : find_groups(graph).groups) {
      if (!group.fixed) nesting.groups.push_back({group.name, {group.width}});
    }
    nesting.accuracy = {0};
    return nesting;
  }
  const std::string where = fmt::format("{}, metadata {}", file, kKey);
  const Json json = parse_json(found->second, where);
  check_schema(json, kSchema, where);
  nesting.growth = growth_from_name(field<std::string>(json, "growth", where));
  const Json groups = field<Json>(json, "groups", where);
  for (const Json& group : groups) {
    nesting.groups.push_back({field<std::string>(group, "name", where),
                              field<std::vector<int64_t>>(group, "widths", where)});
  }
  nesting.own = field<std::vector<std::string>>(json, "own", where);
  nesting.accuracy = field<std::vector<double>>(json, "accuracy", where);
  check(graph, nesting, where);
  // Everything that a capacity needs is there and fits: that is known once it has been taken.
  for (int k = 1; k < nesting.capacities(); ++k) descend(graph, nesting, k);
  return nesting;
}

void set_nesting(Graph& graph, const Nesting& nesting) {
  check(graph, nesting, "the nesting");
  Json groups = Json::array();
  for (const NestedGroup& group : nesting.groups) {
    groups.push_back({{"name", group.name}, {"widths", group.widths}});
  }
  graph.metadata[kKey] = Json{
      {"schema", kSchema},
      {"growth", growth_name(nesting.growth)},
      {"groups", groups},
      {"own", nesting.own},
      {"accuracy",
       nesting.accuracy}}.dump();
}

KeptChannels prefixes(const ChannelGroups& groups, const Nesting& nesting, int capacity) {
  KeptChannels kept;
  for (const NestedGroup& group : nesting.groups) {
    auto& channels = kept[groups.find(group.name)];
    channels.resize(static_cast<size_t>(group.widths.at(static_cast<size_t>(capacity - 1))));
    std::iota(channels.begin(), channels.end(), 0);
  }
  return kept;
}

namespace {

// The values that a layer with weights sees, itself or what is computed of them.
std::set<ValueId> seen_by_layers(const Graph& graph) {
  std::set<ValueId> seen;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool layer = std::holds_alternative<Conv>(node->op) ||
                       std::holds_alternative<ConvTranspose>(node->op) ||
                       std::holds_alternative<Gemm>(node->op);
    if (layer || seen.contains(node->output)) seen.insert(node->inputs.begin(), node->inputs.end());
  }
  return seen;
}

}  // namespace

std::vector<std::string> own_constants(const Graph& graph, Growth growth) {
  const ChannelGroups groups = find_groups(graph);
  const std::set<ValueId> seen = seen_by_layers(graph);
  std::vector<std::string> own;
  for (const Node& node : graph.nodes) {
    const auto& axes = groups.labels[static_cast<size_t>(node.output)];
    const bool shares = growth != Growth::causal && seen.contains(node.output);
    const bool head = !shares && std::any_of(axes.begin(), axes.end(), [&](const auto& labels) {
      return std::any_of(labels.begin(), labels.end(), [&](const ChannelLabel& label) {
        return label.group >= 0 && groups.groups[static_cast<size_t>(label.group)].fixed;
      });
    });
    const bool norm = std::holds_alternative<BatchNorm>(node.op);
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      const Value& value = graph.value(node.inputs[i]);
      if (!value.constant) continue;
      if (head || (growth != Growth::causal && (norm || value.shape.size() == 1))) {
        own.push_back(value.name);
      }
    }
  }
  return own;
}

Graph descend(const Graph& nested, const Nesting& nesting, int capacity) {
  if (capacity < 1 || capacity > nesting.capacities()) {
    fail("there is no capacity {}; there are 1 to {}", capacity, nesting.capacities());
  }
  const ChannelGroups groups = find_groups(nested);
  Graph graph = keep(nested, groups, prefixes(groups, nesting, capacity));
  for (const std::string& name : nesting.own) {
    const ValueId id = find_value(graph, name);
    const ValueId own = find_value(graph, own_name(nesting, capacity, name));
    if (id < 0 || own < 0 || !graph.value(id).constant || !graph.value(own).constant ||
        graph.constant(own).shape != graph.value(id).shape) {
      fail("capacity {} has no tensor {} of its own, or one of the wrong shape", capacity, name);
    }
    graph.value(id).constant = graph.constant(own);
  }
  graph.metadata.erase(kKey);
  return without_unused(std::move(graph));
}

Graph nest(const std::vector<Graph>& capacities, const Nesting& nesting) {
  Graph nested = capacities.back();
  for (int k = 1; k < nesting.capacities(); ++k) {
    const Graph& graph = capacities.at(static_cast<size_t>(k - 1));
    for (const std::string& name : nesting.own) {
      nested.add_constant(own_name(nesting, k, name), graph.constant(find_value(graph, name)));
    }
  }
  set_nesting(nested, nesting);
  return nested;
}

}  // namespace nestling
