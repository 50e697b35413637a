#include "prune/explain.h"

#include <algorithm>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "graph/cost.h"
#include "graph/surgery.h"

namespace nestling {
namespace {

// The groups along the axes of a value.
std::set<int32_t> groups_at(const ChannelGroups& groups, ValueId id) {
  std::set<int32_t> found;
  for (const std::vector<ChannelLabel>& labels : groups.labels[static_cast<size_t>(id)]) {
    for (const ChannelLabel& label : labels) {
      if (label.group >= 0) found.insert(label.group);
    }
  }
  return found;
}

// The groups that a node's weights lie along.
std::set<int32_t> weighted_groups(const Graph& graph, const ChannelGroups& groups,
                                  const Node& node) {
  std::set<int32_t> found;
  for (const ValueId input : node.inputs) {
    if (graph.value(input).constant) found.merge(groups_at(groups, input));
  }
  return found;
}

// A string of Graphviz.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

}  // namespace

std::vector<std::vector<std::string>> layers_of(const Graph& graph, const ChannelGroups& groups) {
  std::vector<std::vector<std::string>> layers(groups.groups.size());
  for (const Node& node : graph.nodes) {
    if (std::holds_alternative<BatchNorm>(node.op)) continue;  // part of the layer before it
    const std::set<int32_t> produced = groups_at(groups, node.output);
    for (const int32_t g : weighted_groups(graph, groups, node)) {
      if (produced.contains(g)) layers[static_cast<size_t>(g)].push_back(node.name);
    }
  }
  return layers;
}

std::vector<GroupReport> describe_groups(const Graph& graph, const ChannelGroups& groups) {
  const std::vector<std::vector<std::string>> layers = layers_of(graph, groups);
  const Graph costs = outline(graph);
  const int64_t macs = count_macs(costs), parameters = count_parameters(costs);
  std::vector<GroupReport> reports;
  for (size_t g = 0; g < groups.groups.size(); ++g) {
    const ChannelGroup& group = groups.groups[g];
    GroupReport& report = reports.emplace_back();
    report.name = group.name;
    report.channels = group.width;
    report.layers = layers[g];
    report.fixed = group.fixed || group.width == 1;
    report.reason = group.width == 1 && !group.fixed ? "it has one channel" : group.reason;
    if (report.fixed) continue;
    std::vector<int64_t> others(static_cast<size_t>(group.width - 1));
    std::iota(others.begin(), others.end(), 0);
    const Graph cut = keep(costs, groups, {{static_cast<int32_t>(g), others}});
    report.macs_per_channel = macs - count_macs(cut);
    report.parameters_per_channel = parameters - count_parameters(cut);
  }
  for (const Node& node : graph.nodes) {
    const std::set<int32_t> produced = groups_at(groups, node.output);
    for (const int32_t g : weighted_groups(graph, groups, node)) {
      if (!produced.contains(g)) reports[static_cast<size_t>(g)].readers.push_back(node.name);
    }
  }
  return reports;
}

std::string explain_as_text(const Graph& graph, const std::vector<GroupReport>& groups) {
  size_t width = 5;
  for (const GroupReport& group : groups) width = std::max(width, group.name.size());
  std::string text =
      fmt::format("{}: {} MACs, {} parameters\n\n{:{}}  {:>8}  {:>13}  {:>15}  {}\n", graph.name,
                  count_macs(graph), count_parameters(graph), "group", width, "channels",
                  "MACs/channel", "params/channel", "layers that are cut | that read them");
  for (const GroupReport& group : groups) {
    if (group.fixed) continue;
    text += fmt::format("{:{}}  {:>8}  {:>13}  {:>15}  {} | {}\n", group.name, width,
                        group.channels, group.macs_per_channel, group.parameters_per_channel,
                        fmt::join(group.layers, ", "), fmt::join(group.readers, ", "));
  }
  text += "\nnever cut:\n";
  for (const GroupReport& group : groups) {
    if (group.fixed) {
      text += fmt::format("{:{}}  {:>8}  {}\n", group.name, width, group.channels, group.reason);
    }
  }
  return text;
}

Json explain_as_json(const Graph& graph, const std::vector<GroupReport>& groups) {
  Json json = {{"schema", "nestling/groups/1"},
               {"model", graph.name},
               {"macs", count_macs(graph)},
               {"parameters", count_parameters(graph)},
               {"groups", Json::array()}};
  for (const GroupReport& group : groups) {
    json["groups"].push_back({{"name", group.name},
                              {"channels", group.channels},
                              {"layers", group.layers},
                              {"readers", group.readers},
                              {"fixed", group.fixed ? Json(group.reason) : Json()},
                              {"macs_per_channel", group.macs_per_channel},
                              {"parameters_per_channel", group.parameters_per_channel}});
  }
  return json;
}

std::string explain_as_dot(const Graph& graph, const std::vector<GroupReport>& groups) {
  std::string text = fmt::format("digraph {} {{\n  node [shape=box];\n", quoted(graph.name));
  for (const GroupReport& group : groups) {
    const std::string detail =
        group.fixed ? group.reason : fmt::format("{} MACs a channel", group.macs_per_channel);
    text +=
        fmt::format("  {} [label={}{}];\n", quoted(group.name),
                    quoted(fmt::format("{}: {} channels\n{}", group.name, group.channels, detail)),
                    group.fixed ? ", style=filled, fillcolor=lightgrey" : "");
  }
  for (const GroupReport& from : groups) {
    for (const GroupReport& to : groups) {
      const bool reads =
          std::any_of(from.readers.begin(), from.readers.end(), [&](const std::string& reader) {
            return std::find(to.layers.begin(), to.layers.end(), reader) != to.layers.end();
          });
      if (reads) text += fmt::format("  {} -> {};\n", quoted(from.name), quoted(to.name));
    }
  }
  return text + "}\n";
}

}  // namespace nestling
