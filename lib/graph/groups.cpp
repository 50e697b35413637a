#include "graph/groups.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <numeric>
#include <set>

namespace nestling {
namespace {

// Disjoint sets of channels; every index of every channel axis is one element.
class Channels {
 public:
  explicit Channels(const Graph& graph) : graph_(graph), first_(graph.values.size()) {
    int32_t count = 0;
    for (size_t v = 0; v < first_.size(); ++v) {
      const Shape& shape = graph.values[v].shape;
      first_[v].assign(shape.size(), -1);
      for (size_t axis = 0; axis < shape.size(); ++axis) {
        // Activations can have channels along axis 1, constants along the first two.
        if (graph.values[v].constant ? axis > 1 : axis != 1) continue;
        first_[v][axis] = count;
        count += static_cast<int32_t>(shape[axis]);
      }
    }
    parent_.resize(static_cast<size_t>(count));
    tied_.resize(static_cast<size_t>(count));
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  // Whether some node tied the channels of an axis to others. The axes of others have no channels:
  // rows and columns, and the second axis of a depthwise filter.
  bool tied(ValueId value, int axis) const {
    const int32_t at = first_[static_cast<size_t>(value)][static_cast<size_t>(axis)];
    return at >= 0 && tied_[static_cast<size_t>(at)];
  }

  // The representative of the channel at `index` of an axis.
  int32_t find(ValueId value, int axis, int64_t index) {
    int32_t at =
        first_[static_cast<size_t>(value)][static_cast<size_t>(axis)] + static_cast<int32_t>(index);
    while (parent_[static_cast<size_t>(at)] != at) {
      const int32_t up = parent_[static_cast<size_t>(at)];
      parent_[static_cast<size_t>(at)] = parent_[static_cast<size_t>(up)];
      at = up;
    }
    return at;
  }

  struct Axis {
    ValueId value;
    int axis;
  };
  void join(Axis a, int64_t i, Axis b, int64_t j) {
    const int32_t x = find(a.value, a.axis, i), y = find(b.value, b.axis, j);
    parent_[static_cast<size_t>(std::max(x, y))] = std::min(x, y);
    for (const auto& [axis, index] : {std::pair(a, i), std::pair(b, j)}) {
      const int32_t first = first_[static_cast<size_t>(axis.value)][static_cast<size_t>(axis.axis)];
      tied_[static_cast<size_t>(first) + static_cast<size_t>(index)] = true;
    }
  }
  void join(Axis a, Axis b) {
    const int64_t size = graph_.value(a.value).shape[static_cast<size_t>(a.axis)];
    for (int64_t i = 0; i < size; ++i) join(a, i, b, i);
  }

 private:
  const Graph& graph_;
  std::vector<std::vector<int32_t>> first_;
  std::vector<int32_t> parent_;
  std::vector<bool> tied_;
};

// Says which channels of a node's inputs and output are the same one.
struct Ties {
  const Graph& graph;
  const Node& node;
  Channels& channels;

  Channels::Axis in(size_t i, int axis = 1) const { return {node.inputs[i], axis}; }
  Channels::Axis out() const { return {node.output, 1}; }
  int64_t width(ValueId value) const { return graph.value(value).shape[1]; }

  void filters() const {
    channels.join(in(1, 0), out());
    if (node.inputs.size() > 2) channels.join(in(2, 0), out());
  }
  void operator()(const Conv& op) const {
    filters();
    if (op.groups == 1) {
      channels.join(in(1, 1), in(0));
      return;
    }
    const int64_t multiplier = width(node.output) / op.groups;
    for (int64_t m = 0; m < width(node.output); ++m) channels.join(out(), m, in(0), m / multiplier);
  }
  void operator()(const Gemm&) const {
    filters();
    channels.join(in(1, 1), in(0));
  }
  void operator()(const BatchNorm&) const {
    channels.join(out(), in(0));
    for (size_t i = 1; i < node.inputs.size(); ++i) channels.join(in(i, 0), out());
  }
  void operator()(const Add&) const {
    channels.join(out(), in(0));
    channels.join(out(), in(1));
  }
  void operator()(const Concat&) const {
    int64_t offset = 0;
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      const int64_t count = width(node.inputs[k]);
      for (int64_t i = 0; i < count; ++i) channels.join(out(), offset + i, in(k), i);
      offset += count;
    }
  }
  void operator()(const Flatten&) const {
    const int64_t area = width(node.output) / width(node.inputs[0]);
    for (int64_t i = 0; i < width(node.output); ++i) channels.join(out(), i, in(0), i / area);
  }
  void operator()(const Relu&) const { channels.join(out(), in(0)); }
  void operator()(const Clip&) const { channels.join(out(), in(0)); }
  void operator()(const MaxPool&) const { channels.join(out(), in(0)); }
  void operator()(const AveragePool&) const { channels.join(out(), in(0)); }
  void operator()(const GlobalAveragePool&) const { channels.join(out(), in(0)); }
  void operator()(const Softmax&) const { channels.join(out(), in(0)); }
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
  for (const Node& node : graph.nodes) std::visit(Ties{graph, node, channels}, node.op);

  // The axes of all values that are channels and belong to the graph: activations of nodes and
  // inputs, and the constants that nodes use, in the order in which the graph meets them.
  std::vector<std::pair<ValueId, int>> axes;
  std::map<ValueId, std::string> producers;
  std::set<ValueId> seen;
  const auto meet = [&](ValueId id, const std::string& name) {
    if (!seen.insert(id).second) return;
    producers[id] = name;
    const Shape& shape = graph.value(id).shape;
    for (int axis = 0; axis < static_cast<int>(shape.size()); ++axis) {
      if (channels.tied(id, axis)) axes.emplace_back(id, axis);
    }
  };
  for (const ValueId id : graph.inputs) meet(id, graph.value(id).name);
  for (const Node& node : graph.nodes) meet(node.output, node.name);
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.inputs) meet(id, node.name);
  }

  // A channel is known by its representative; where it lies decides its group.
  std::map<int32_t, std::vector<std::pair<ValueId, int>>> places;
  std::vector<int32_t> order;  // of first appearance
  for (const auto& [id, axis] : axes) {
    const int64_t size = graph.value(id).shape[static_cast<size_t>(axis)];
    for (int64_t i = 0; i < size; ++i) {
      auto& where = places[channels.find(id, axis, i)];
      if (where.empty()) order.push_back(channels.find(id, axis, i));
      if (where.empty() || where.back() != std::pair(id, axis)) where.emplace_back(id, axis);
    }
  }
  ChannelGroups result;
  std::map<std::vector<std::pair<ValueId, int>>, int32_t> by_places;
  std::map<int32_t, ChannelLabel> labels;
  std::map<std::string, int> names;
  for (const int32_t channel : order) {
    const auto& where = places[channel];
    const auto [found, added] =
        by_places.emplace(where, static_cast<int32_t>(result.groups.size()));
    if (added) {
      ChannelGroup group;
      group.name = producers[where.front().first];
      if (const int count = ++names[group.name]; count > 1) group.name += fmt::format(".{}", count);
      group.axes = where;
      for (const auto& [id, axis] : where) {
        const auto is = [&, value = id](const std::vector<ValueId>& ids) {
          return std::find(ids.begin(), ids.end(), value) != ids.end();
        };
        group.fixed = group.fixed || is(graph.inputs) || is(graph.outputs);
      }
      result.groups.push_back(std::move(group));
    }
    labels[channel] = {found->second, result.groups[static_cast<size_t>(found->second)].width++};
  }
  result.labels.resize(graph.values.size());
  for (size_t v = 0; v < graph.values.size(); ++v) {
    result.labels[v].resize(graph.values[v].shape.size());
  }
  for (const auto& [id, axis] : axes) {
    auto& along = result.labels[static_cast<size_t>(id)][static_cast<size_t>(axis)];
    const int64_t size = graph.value(id).shape[static_cast<size_t>(axis)];
    for (int64_t i = 0; i < size; ++i) along.push_back(labels[channels.find(id, axis, i)]);
  }
  return result;
}

}  // namespace nestling
