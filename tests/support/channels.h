// Channels zeroed and drawn: what tests of surgery compare with.
#pragma once

#include <algorithm>
#include <numeric>

#include "base/random.h"
#include "graph/graph.h"
#include "graph/groups.h"
#include "graph/surgery.h"

namespace test {

// The graph with every constant of the channels that are not kept set to zero, so that those
// channels are zero wherever they appear.
inline nestling::Graph zeroed(nestling::Graph graph, const nestling::ChannelGroups& groups,
                              const nestling::KeptChannels& kept) {
  for (const nestling::Node& node : graph.nodes) {
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      nestling::Value& value = graph.value(node.inputs[i]);
      if (!value.constant) continue;
      // A variance of one: zero would do as well, but for the division.
      const float nothing =
          std::holds_alternative<nestling::BatchNorm>(node.op) && i == 4 ? 1.0F : 0.0F;
      const auto& axes = groups.labels[static_cast<size_t>(node.inputs[i])];
      size_t after = value.constant->data.size();
      for (size_t axis = 0; axis < axes.size(); ++axis) {
        const auto along = static_cast<size_t>(value.shape[axis]);
        after /= along;
        if (axes[axis].empty()) continue;
        for (size_t at = 0; at < value.constant->data.size(); ++at) {
          const auto& label = axes[axis][at / after % along];
          const auto group = kept.find(label.group);
          if (group == kept.end()) continue;
          const auto& channels = group->second;
          if (std::find(channels.begin(), channels.end(), label.channel) == channels.end()) {
            value.constant->data[at] = nothing;
          }
        }
      }
    }
  }
  return graph;
}

inline std::vector<int64_t> random_channels(int64_t width, int64_t count,
                                            nestling::Random& random) {
  std::vector<int64_t> channels(static_cast<size_t>(width));
  std::iota(channels.begin(), channels.end(), 0);
  random.shuffle(channels);
  channels.resize(static_cast<size_t>(count));
  return channels;
}

}  // namespace test
