#include "graph/groups.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "graph/ties.h"

namespace nestling {
namespace {

// Disjoint sets of numbers; the smallest represents its set.
class Sets {
 public:
  explicit Sets(size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), size_t{0});
  }
  size_t find(size_t at) {
    while (parent_[at] != at) at = parent_[at] = parent_[parent_[at]];
    return at;
  }
  void join(size_t a, size_t b) {
    a = find(a);
    b = find(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<size_t> parent_;
};

// What nodes say of every index of every axis: which are the same channel, and which of those stay
// or go together.
class Channels {
 public:
  explicit Channels(const Graph& graph)
      : first_(numbers(graph)), same_(count_), bound_(count_), tied_(count_), pinned_(count_) {
    for (const Node& node : graph.nodes) {
      Ties ties(
          graph, node,
          [&](Ties::Axis a, int64_t i, Ties::Axis b, int64_t j, bool same) {
            const size_t x = element(a, i), y = element(b, j);
            tied_[x] = tied_[y] = true;
            bound_.join(x, y);
            if (same) same_.join(x, y);
          },
          [&](Ties::Axis axis) {
            const int64_t size = graph.value(axis.value).shape[axis.axis];
            for (int64_t i = 0; i < std::max<int64_t>(1, size); ++i) {
              pinned_[element(axis, i)] = &node;
            }
          });
      std::visit([&](const auto& op) { op.tie(ties); }, node.op);
    }
  }

  // Whether some node tied the channels of an axis to others. The axes of others have no channels,
  // such as the second axis of a depthwise filter.
  bool tied(ValueId value, size_t axis) const { return tied_[element({value, axis}, 0)]; }
  // The node that needs a channel as it is, or null.
  const Node* pinned(Ties::Axis axis, int64_t index) const { return pinned_[element(axis, index)]; }

  // The representatives of the one channel that an index is, and of all those bound to it.
  size_t same(Ties::Axis axis, int64_t index) { return same_.find(element(axis, index)); }
  size_t bound(Ties::Axis axis, int64_t index) { return bound_.find(element(axis, index)); }

 private:
  std::vector<std::vector<size_t>> numbers(const Graph& graph) {
    std::vector<std::vector<size_t>> first(graph.values.size());
    for (size_t v = 0; v < first.size(); ++v) {
      for (const int64_t size : graph.values[v].shape) {
        first[v].push_back(count_);
        count_ += size == kBatch ? 1 : static_cast<size_t>(size);
      }
    }
    return first;
  }
  size_t element(Ties::Axis axis, int64_t index) const {
    return first_[static_cast<size_t>(axis.value)][axis.axis] + static_cast<size_t>(index);
  }

  size_t count_ = 0;
  std::vector<std::vector<size_t>> first_;  // the number of an axis's first index
  Sets same_, bound_;
  std::vector<bool> tied_;
  std::vector<const Node*> pinned_;
};

// Where channels that are bound together lie. Only those that lie in the same way can take each
// other's places.
struct Places {
  std::vector<std::pair<ValueId, int>> axes;
  std::vector<size_t> counts;  // how many places on each of the axes
  std::vector<size_t> order;   // which of the channels is at each place, numbered as they are met
  bool pinned = false;

  bool operator<(const Places& o) const {
    return std::tie(axes, counts, order, pinned) < std::tie(o.axes, o.counts, o.order, o.pinned);
  }
};

}  // namespace

int32_t ChannelGroups::find(const std::string& name) const {
  for (size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].name == name) return static_cast<int32_t>(g);
  }
  return -1;
}

ChannelGroups restrict(const ChannelGroups& groups, const KeptChannels& kept) {
  ChannelGroups result = groups;
  for (const auto& [g, channels] : kept) {
    result.groups.at(static_cast<size_t>(g)).width = static_cast<int64_t>(channels.size());
  }
  for (auto& axes : result.labels) {
    for (std::vector<ChannelLabel>& labels : axes) {
      std::erase_if(labels, [&](const ChannelLabel& label) {
        return label.group >= 0 &&
               label.channel >= result.groups[static_cast<size_t>(label.group)].width;
      });
    }
  }
  return result;
}

ChannelGroups find_groups(const Graph& graph) {
  Channels channels(graph);

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

  // Only what weights lie along is a channel: rows, columns and the elements of a batch are not.
  struct Bound {
    Places places;
    std::map<size_t, size_t> numbers;  // of the channels
    bool weights = false;
    std::string reason;  // why pinned
  };
  std::map<size_t, Bound> all;
  std::vector<size_t> order;  // of first appearance
  // Why all channels of a value stay; empty if nothing says so.
  const auto end_of_graph = [&](ValueId id) -> std::string {
    const auto among = [&](const std::vector<ValueId>& ids) {
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    if (among(graph.inputs)) return "it is an input of the network";
    return among(graph.outputs) ? "it is an output of the network" : "";
  };
  for (const Ties::Axis& axis : axes) {
    const int64_t size = graph.value(axis.value).shape[axis.axis];
    const std::pair<ValueId, int> place(axis.value, static_cast<int>(axis.axis));
    const bool constant = graph.value(axis.value).constant.has_value();
    const std::string end = end_of_graph(axis.value);
    for (int64_t i = 0; i < size; ++i) {
      const auto [found, added] = all.try_emplace(channels.bound(axis, i));
      if (added) order.push_back(found->first);
      Bound& bound = found->second;
      Places& places = bound.places;
      if (places.axes.empty() || places.axes.back() != place) {
        places.axes.push_back(place);
        places.counts.push_back(0);
      }
      ++places.counts.back();
      places.order.push_back(
          bound.numbers.try_emplace(channels.same(axis, i), bound.numbers.size()).first->second);
      const Node* pinned = channels.pinned(axis, i);
      if (!places.pinned && (pinned != nullptr || !end.empty())) {
        places.pinned = true;
        bound.reason = !end.empty() ? end
                                    : fmt::format("{} ({}) needs it as it is", pinned->name,
                                                  op_name(pinned->op));
      }
      bound.weights = bound.weights || constant;
    }
  }
  ChannelGroups result;
  std::map<Places, int32_t> by_places;
  std::map<size_t, ChannelLabel> labels;
  std::map<std::string, int> names;
  for (const size_t channel : order) {
    const Bound& bound = all[channel];
    if (!bound.weights) continue;
    const auto [found, added] =
        by_places.emplace(bound.places, static_cast<int32_t>(result.groups.size()));
    if (added) {
      ChannelGroup group;
      group.name = producers[bound.places.axes.front().first];
      if (const int count = ++names[group.name]; count > 1) group.name += fmt::format(".{}", count);
      group.axes = bound.places.axes;
      group.fixed = bound.places.pinned;
      group.reason = bound.reason;
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
      const auto label = labels.find(channels.bound(axis, i));
      along.push_back(label == labels.end() ? ChannelLabel{} : label->second);
      any = any || along.back().group >= 0;
    }
    if (any) result.labels[static_cast<size_t>(axis.value)][axis.axis] = std::move(along);
  }
  return result;
}

}  // namespace nestling
