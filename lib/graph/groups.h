// Channel groups: channels of several layers that can only be cut or grown together.
//
// Every op says which channels of its inputs and outputs are the same one, or can only go together;
// union-find over single channels joins them. What lies along the same axes of the same values, in
// the same way, forms a group.
//
//   conv1 ─▶ bn ─▶ relu ─┬▶ conv2 ─▶ add ─▶        groups: conv1 (also add's other input, conv2's
//                        └─────────▶ /              output): a residual sum ties them
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace nestling {

struct ChannelGroup {
  std::string name;    // the node that first produces it, such as "conv1"
  int64_t width = 0;   // channels
  bool fixed = false;  // touches an input or output of the graph, or something that
                       // needs it as it is: never cut
  std::string reason;  // why it is fixed: "reshape1 (Reshape) needs it as it is"
  std::vector<std::pair<ValueId, int>> axes;  // (value, axis) pairs along which it lies
};

// Which channel an index of an axis is: {group, channel in it}, group -1 if the axis has none.
struct ChannelLabel {
  int32_t group = -1;
  int64_t channel = 0;

  bool operator==(const ChannelLabel&) const = default;
};

struct ChannelGroups {
  std::vector<ChannelGroup> groups;  // in the order in which the graph first produces them
  // labels[value][axis][index]; labels[value][axis] is empty for axes that are not channels
  // (batch, rows, columns).
  std::vector<std::vector<std::vector<ChannelLabel>>> labels;

  // The index of the group named `name`, or -1.
  int32_t find(const std::string& name) const;
};

// Channels to keep, in their new order, by group index.
using KeptChannels = std::map<int32_t, std::vector<int64_t>>;

// The groups of what `keep` (surgery.h) makes of a graph with these ones: the same groups,
// narrower. (Found anew they could differ: a grouped convolution left with one channel a group is
// depthwise.)
ChannelGroups restrict(const ChannelGroups& groups, const KeptChannels& kept);

// Finds the groups of `graph`, whose shapes are inferred.
ChannelGroups find_groups(const Graph& graph);

}  // namespace nestling
