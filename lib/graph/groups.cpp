#include "graph/groups.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <numeric>
#include <set>

#include "graph/ties.h"

namespace nestling {
namespace {

// Disjoint sets of channels; every index of every axis is one element.
class Channels {
 public:
  explicit Channels(const Graph& graph) : first_(graph.values.size()) {
    size_t count = 0;
    for (size_t v = 0; v < first_.size(); ++v) {
      for (const int64_t size : graph.values[v].shape) {
        first_[v].push_back(count);
        count += size == kBatch ? 1 : static_cast<size_t>(size);
      }
    }
    parent_.resize(count);
    tied_.resize(count);
    pinned_.resize(count);
    std::iota(parent_.begin(), parent_.end(), size_t{0});
  }

  // Whether some node tied the channels of an axis to others. The axes of others have no channels,
  // such as the second axis of a depthwise filter.
  bool tied(ValueId value, size_t axis) const { return tied_[element({value, axis}, 0)]; }

  // The representative of the channel at `index` of an axis.
  size_t find(Ties::Axis axis, int64_t index) {
    size_t at = element(axis, index);
    while (parent_[at] != at) at = parent_[at] = parent_[parent_[at]];
    return at;
  }

  void join(Ties::Axis a, int64_t i, Ties::Axis b, int64_t j) {
    tied_[element(a, i)] = tied_[element(b, j)] = true;
    const size_t x = find(a, i), y = find(b, j);
    parent_[std::max(x, y)] = std::min(x, y);
  }

  void pin(Ties::Axis axis, int64_t size) {
    for (int64_t i = 0; i < size; ++i) pinned_[element(axis, i)] = true;
  }
  bool pinned(Ties::Axis axis, int64_t index) const { return pinned_[element(axis, index)]; }

 private:
  size_t element(Ties::Axis axis, int64_t index) const {
    return first_[static_cast<size_t>(axis.value)][axis.axis] + static_cast<size_t>(index);
  }

  std::vector<std::vector<size_t>> first_;
  std::vector<size_t> parent_;
  std::vector<bool> tied_, pinned_;
};

}  // namespace

int32_t ChannelGroups::find(const std::string& name) const {
  for (size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].name == name) return static_cast<int32_t>(g);
  }
  return -1;
}

ChannelGroups find_groups(const Graph& graph) {
  Channels channels(graph);
  for (const Node& node : graph.nodes) {
    Ties ties(
        graph, node,
        [&](Ties::Axis a, int64_t i, Ties::Axis b, int64_t j) { channels.join(a, i, b, j); },
        [&](Ties::Axis axis) {
          channels.pin(axis, std::max<int64_t>(1, graph.value(axis.value).shape[axis.axis]));
        });
    std::visit([&](const auto& op) { op.tie(ties); }, node.op);
  }

  // The axes of all values that are channels and belong to the graph: activations of nodes and
  // inputs, and the constants that nodes use, in the order in which the graph meets them.
  std::vector<Ties::Axis> axes;
  std::map<ValueId, std::string> producers;
  std::set<ValueId> seen;
  const auto meet = [&](ValueId id, const std::string& name) {
    if (!seen.insert(id).second) return;
    producers[id] = name;
    const Shape& shape = graph.value(id).shape;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      if (shape[axis] != kBatch && channels.tied(id, axis)) axes.push_back({id, axis});
    }
  };
  for (const ValueId id : graph.inputs) meet(id, graph.value(id).name);
  for (const Node& node : graph.nodes) meet(node.output, node.name);
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.inputs) meet(id, node.name);
  }

  // A channel is known by its representative; where it lies decides its group. Only what weights
  // lie along is a channel: rows, columns and the elements of a batch are not.
  struct Places {
    std::vector<std::pair<ValueId, int>> axes;
    bool weights = false, pinned = false;
  };
  std::map<size_t, Places> places;
  std::vector<size_t> order;  // of first appearance
  const auto is_end = [&](ValueId id) {
    return std::count(graph.inputs.begin(), graph.inputs.end(), id) +
               std::count(graph.outputs.begin(), graph.outputs.end(), id) >
           0;
  };
  for (const Ties::Axis& axis : axes) {
    const int64_t size = graph.value(axis.value).shape[axis.axis];
    const std::pair<ValueId, int> place(axis.value, static_cast<int>(axis.axis));
    const bool constant = graph.value(axis.value).constant.has_value();
    const bool fixed = is_end(axis.value);
    for (int64_t i = 0; i < size; ++i) {
      const size_t channel = channels.find(axis, i);
      Places& where = places[channel];
      if (where.axes.empty()) order.push_back(channel);
      if (where.axes.empty() || where.axes.back() != place) where.axes.push_back(place);
      where.weights = where.weights || constant;
      where.pinned = where.pinned || fixed || channels.pinned(axis, i);
    }
  }
  ChannelGroups result;
  std::map<std::pair<std::vector<std::pair<ValueId, int>>, bool>, int32_t> by_places;
  std::map<size_t, ChannelLabel> labels;
  std::map<std::string, int> names;
  for (const size_t channel : order) {
    const Places& where = places[channel];
    if (!where.weights) continue;
    const auto [found, added] = by_places.emplace(std::pair(where.axes, where.pinned),
                                                  static_cast<int32_t>(result.groups.size()));
    if (added) {
      ChannelGroup group;
      group.name = producers[where.axes.front().first];
      if (const int count = ++names[group.name]; count > 1) group.name += fmt::format(".{}", count);
      group.axes = where.axes;
      group.fixed = where.pinned;
      result.groups.push_back(std::move(group));
    }
    labels[channel] = {found->second, result.groups[static_cast<size_t>(found->second)].width++};
  }
  result.labels.resize(graph.values.size());
  for (size_t v = 0; v < graph.values.size(); ++v) {
    result.labels[v].resize(graph.values[v].shape.size());
  }
  for (const Ties::Axis& axis : axes) {
    std::vector<ChannelLabel> along;
    bool any = false;
    const int64_t size = graph.value(axis.value).shape[axis.axis];
    for (int64_t i = 0; i < size; ++i) {
      const auto label = labels.find(channels.find(axis, i));
      along.push_back(label == labels.end() ? ChannelLabel{} : label->second);
      any = any || along.back().group >= 0;
    }
    if (any) result.labels[static_cast<size_t>(axis.value)][axis.axis] = std::move(along);
  }
  return result;
}

}  // namespace nestling
