// A multi-capacity model with random weights, from any network.
#pragma once

#include <algorithm>
#include <set>

#include "support/test_graphs.h"

#include "graph/nesting.h"

namespace test {

// Capacities 1 to `capacities` of `graph`, with random widths that never fall, or equal steps of
// them, rounded up to multiples of `round_to`, and random tensors of their own.
inline nestling::Graph nested_graph(nestling::Graph graph, nestling::Growth growth, int capacities,
                                    nestling::Random& random, bool equal_steps = false,
                                    int64_t round_to = 1) {
  const nestling::ChannelGroups groups = nestling::find_groups(graph);
  nestling::Nesting nesting;
  nesting.growth = growth;
  nesting.own = nestling::own_constants(graph, growth);
  nesting.accuracy.assign(static_cast<size_t>(capacities), 0.5);
  for (const nestling::ChannelGroup& group : groups.groups) {
    if (group.fixed) continue;
    std::vector<int64_t> widths;
    for (int k = 1; k < capacities; ++k) {
      widths.push_back(
          equal_steps ? std::min(group.width, (group.width * k + capacities * round_to - 1) /
                                                  (capacities * round_to) * round_to)
                      : 1 + static_cast<int64_t>(random.below(static_cast<uint64_t>(group.width))));
    }
    widths.push_back(group.width);
    std::sort(widths.begin(), widths.end());
    nesting.groups.push_back({group.name, widths});
  }
  const auto capacity_of = [&](const nestling::ChannelLabel& label) {
    const std::string& name = groups.groups[static_cast<size_t>(label.group)].name;
    for (const nestling::NestedGroup& nested : nesting.groups) {
      if (nested.name != name) continue;
      return std::upper_bound(nested.widths.begin(), nested.widths.end(), label.channel) -
             nested.widths.begin();
    }
    return std::ptrdiff_t{0};  // the input and output
  };
  const std::set<std::string> own(nesting.own.begin(), nesting.own.end());
  for (size_t v = 0; v < graph.values.size() && growth == nestling::Growth::causal; ++v) {
    nestling::Value& value = graph.values[v];
    if (!value.constant || own.contains(value.name) || groups.labels[v].size() < 2 ||
        groups.labels[v][1].empty()) {
      continue;
    }
    // A channel does not see what larger capacities add.
    const auto &rows = groups.labels[v][0], &columns = groups.labels[v][1];
    const size_t area = value.constant->data.size() / (rows.size() * columns.size());
    for (size_t i = 0; i < value.constant->data.size(); ++i) {
      const auto row = i / (columns.size() * area), column = i / area % columns.size();
      if (capacity_of(columns[column]) > capacity_of(rows[row])) value.constant->data[i] = 0;
    }
  }
  std::vector<nestling::Graph> all;
  for (int k = 1; k <= capacities; ++k) {
    all.push_back(nestling::keep(graph, groups, nestling::prefixes(groups, nesting, k)));
    if (k == capacities) break;
    for (const std::string& name : nesting.own) {
      for (float& x : all.back().constant(nestling::find_value(all.back(), name)).data) {
        x *= static_cast<float>(0.5 + random.uniform());
      }
    }
  }
  return nestling::nest(all, nesting);
}

}  // namespace test
