#include "graph/surgery.h"

#include <map>

#include "base/error.h"
#include "graph/shapes.h"

namespace nestling {
namespace {

void check(const ChannelGroup& group, const std::vector<int64_t>& kept) {
  if (group.fixed) {
    fail("the channels of {} stay as they are: {}", group.name, group.reason);
  }
  if (kept.empty()) fail("no channel of {} would be left", group.name);
  std::vector<bool> seen(static_cast<size_t>(group.width));
  for (const int64_t channel : kept) {
    if (channel < 0 || channel >= group.width) {
      fail("{} has {} channels; there is no channel {}", group.name, group.width, channel);
    }
    if (seen[static_cast<size_t>(channel)]) {
      fail("channel {} of {} is kept twice", channel, group.name);
    }
    seen[static_cast<size_t>(channel)] = true;
  }
}

Tensor select(const Tensor& tensor, size_t axis, const std::vector<int64_t>& order) {
  Tensor result{tensor.shape, {}};
  result.shape[axis] = static_cast<int64_t>(order.size());
  if (tensor.data.empty()) return result;  // an outline
  result.data.reserve(static_cast<size_t>(element_count(result.shape)));
  int64_t outer = 1, inner = 1;
  for (size_t i = 0; i < axis; ++i) outer *= tensor.shape[i];
  for (size_t i = axis + 1; i < tensor.shape.size(); ++i) inner *= tensor.shape[i];
  for (int64_t o = 0; o < outer; ++o) {
    for (const int64_t index : order) {
      const auto from = tensor.data.begin() + (o * tensor.shape[axis] + index) * inner;
      result.data.insert(result.data.end(), from, from + inner);
    }
  }
  return result;
}

// Tells an op whose numbers count places of its first input's axes which of them stay.
void follow(Node& node, const std::vector<std::vector<ChannelLabel>>& labels,
            const KeptChannels& kept) {
  std::visit(
      [&](auto& op) {
        if constexpr (requires { op.follow(0, std::vector<bool>{}); }) {
          for (size_t axis = 0; axis < labels.size(); ++axis) {
            if (labels[axis].empty()) continue;
            std::vector<bool> stays;
            for (const ChannelLabel& label : labels[axis]) {
              const auto group = kept.find(label.group);
              stays.push_back(group == kept.end() ||
                              label.channel < static_cast<int64_t>(group->second.size()));
            }
            op.follow(axis, stays);
          }
        }
      },
      node.op);
}

}  // namespace

Graph outline(const Graph& graph) {
  Graph result;
  result.name = graph.name;
  result.nodes = graph.nodes;
  result.inputs = graph.inputs;
  result.outputs = graph.outputs;
  for (const Value& value : graph.values) {
    result.values.push_back({value.name, value.shape, {}});
    if (value.constant) result.values.back().constant = Tensor{value.constant->shape, {}};
  }
  return result;
}

// Each place along the axis belongs to a channel of a group, and to one of that channel's
// occurrences there (a flatten repeats channels); the place of a group's channel j is taken by its
// j-th kept channel, and the places after the last vanish.
std::vector<int64_t> kept_indices(const std::vector<ChannelLabel>& labels,
                                  const KeptChannels& kept) {
  using Occurrences = std::map<std::pair<int32_t, int64_t>, std::vector<int64_t>>;
  Occurrences places;
  for (size_t i = 0; i < labels.size(); ++i) {
    places[{labels[i].group, labels[i].channel}].push_back(static_cast<int64_t>(i));
  }
  std::map<std::pair<int32_t, int64_t>, size_t> met;
  std::vector<int64_t> order;
  for (size_t i = 0; i < labels.size(); ++i) {
    const ChannelLabel& label = labels[i];
    const auto group = kept.find(label.group);
    if (group == kept.end()) {
      order.push_back(static_cast<int64_t>(i));
    } else if (label.channel < static_cast<int64_t>(group->second.size())) {
      const int64_t channel = group->second[static_cast<size_t>(label.channel)];
      const size_t occurrence = met[{label.group, label.channel}]++;
      order.push_back(places.at({label.group, channel}).at(occurrence));
    }
  }
  return order;
}

Graph keep(const Graph& graph, const ChannelGroups& groups, const KeptChannels& kept) {
  for (const auto& [group, channels] : kept) {
    check(groups.groups.at(static_cast<size_t>(group)), channels);
  }
  Graph result = graph;
  for (size_t v = 0; v < result.values.size(); ++v) {
    Value& value = result.values[v];
    if (!value.constant) continue;
    for (size_t axis = 0; axis < groups.labels[v].size(); ++axis) {
      const std::vector<ChannelLabel>& labels = groups.labels[v][axis];
      if (labels.empty()) continue;
      const std::vector<int64_t> order = kept_indices(labels, kept);
      value.constant = select(*value.constant, axis, order);
    }
    value.shape = value.constant->shape;
  }
  for (Node& node : result.nodes) {
    follow(node, groups.labels[static_cast<size_t>(node.inputs[0])], kept);
    result.value(node.output).shape = output_shape(result, node);
  }
  return result;
}

}  // namespace nestling
