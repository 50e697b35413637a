#include "recover/growth.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/error.h"
#include "graph/groups.h"
#include "graph/surgery.h"
#include "recover/places.h"

namespace nestling {
namespace {

// The vanilla filters left in a roadmap's entry, by group.
FiltersByGroup filters_of(const Roadmap& roadmap, const ChannelGroups& groups, int entry) {
  std::map<std::string, std::set<int64_t>> cut;
  for (int i = 0; i <= entry; ++i) {
    for (const auto& [group, filters] : roadmap.entries[static_cast<size_t>(i)].pruned) {
      cut[group].insert(filters.begin(), filters.end());
    }
  }
  FiltersByGroup left;
  for (const ChannelGroup& group : groups.groups) {
    if (group.fixed) continue;
    for (int64_t filter = 0; filter < group.width; ++filter) {
      if (!cut[group.name].contains(filter)) left[group.name].push_back(filter);
    }
  }
  return left;
}

}  // namespace

ChannelOrder order_channels(const Roadmap& roadmap, const Graph& vanilla,
                            const std::vector<int>& entries) {
  const ChannelGroups groups = find_groups(vanilla);
  ChannelOrder order;
  for (const ChannelGroup& group : groups.groups) {
    if (!group.fixed) order.groups.push_back({group.name, {}});
  }
  for (const int entry : entries) {
    const FiltersByGroup filters = filters_of(roadmap, groups, entry);
    for (NestedGroup& group : order.groups) {
      std::vector<int64_t>& known = order.filters[group.name];
      const std::set<int64_t> before(known.begin(), known.end());
      const auto found = filters.find(group.name);
      if (found == filters.end()) fail("the roadmap leaves no filter of {}", group.name);
      for (const int64_t filter : found->second) {
        if (!before.contains(filter)) known.push_back(filter);
      }
      group.widths.push_back(static_cast<int64_t>(known.size()));
    }
  }
  return order;
}

Graph in_order(const Graph& entry, const ChannelOrder& order) {
  const ChannelGroups groups = find_groups(entry);
  KeptChannels kept;
  for (const NestedGroup& nested : order.groups) {
    const int32_t g = groups.find(nested.name);
    if (g < 0) fail("a model of the roadmap has no channel group {}", nested.name);
    const int64_t width = groups.groups[static_cast<size_t>(g)].width;
    const std::vector<int64_t>& filters = order.filters.at(nested.name);
    // The entry has the first `width` of them, in the vanilla model's order.
    std::vector<int64_t> mine(filters.begin(),
                              filters.begin() + std::min<int64_t>(width, std::ssize(filters)));
    std::vector<int64_t> sorted = mine;
    std::sort(sorted.begin(), sorted.end());
    for (const int64_t filter : mine) {
      kept[g].push_back(std::lower_bound(sorted.begin(), sorted.end(), filter) - sorted.begin());
    }
  }
  return keep(entry, groups, kept);
}

Grown grow(const Graph& smaller, const Graph& larger, Growth growth) {
  const ChannelGroups groups = find_groups(larger), small_groups = find_groups(smaller);
  KeptChannels kept;
  for (const ChannelGroup& group : small_groups.groups) {
    if (group.fixed) continue;
    std::vector<int64_t>& prefix = kept[groups.find(group.name)];
    prefix.resize(static_cast<size_t>(group.width));
    std::iota(prefix.begin(), prefix.end(), 0);
  }
  const std::vector<std::string> own_names = own_constants(larger, growth);
  const std::set<std::string> own(own_names.begin(), own_names.end());
  Grown grown{larger, {}};
  for (size_t v = 0; v < larger.values.size(); ++v) {
    const Value& value = larger.values[v];
    if (!value.constant) continue;
    const auto& labels = groups.labels[v];
    const bool has_rows = !labels.empty() && !labels[0].empty();  // filters, or their scales
    if (own.contains(value.name) && has_rows &&
        groups.groups[static_cast<size_t>(labels[0][0].group)].fixed) {
      continue;  // the head
    }
    const Shape& shape = value.shape;
    std::vector<std::vector<int64_t>> old(shape.size()), all(shape.size());
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      all[axis].resize(static_cast<size_t>(shape[axis]));
      std::iota(all[axis].begin(), all[axis].end(), 0);
      old[axis] = labels[axis].empty() ? all[axis] : kept_indices(labels[axis], kept);
    }
    Tensor& tensor = *grown.graph.values[v].constant;
    Tensor mask{shape, std::vector<float>(tensor.data.size(), 1.0F)};
    if (has_rows && shape.size() > 1) {
      // Old filters, all inputs: zero, and in causal growth frozen.
      std::vector<std::vector<int64_t>> rows = all;
      rows[0] = old[0];
      for (const size_t place : elements_at(rows, tensor.shape)) {
        tensor.data[place] = 0;
        if (growth == Growth::causal) mask.data[place] = 0;
      }
    }
    const Tensor& before = smaller.constant(find_value(smaller, value.name));
    const std::vector<size_t> to = elements_at(old, tensor.shape);
    for (size_t i = 0; i < to.size(); ++i) {
      tensor.data[to[i]] = before.data.at(i);
      mask.data[to[i]] = 0;
    }
    if (!own.contains(value.name)) grown.masks[static_cast<ValueId>(v)] = std::move(mask);
  }
  return grown;
}

}  // namespace nestling
