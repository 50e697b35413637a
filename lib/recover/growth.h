// One step of freeze-&-grow (NestDNN, section 3.2): a capacity becomes the next larger one.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/nesting.h"
#include "prune/roadmap.h"
#include "train/train.h"

namespace nestling {

// In which order the nested model has its channels: the vanilla model's filter numbers by group,
// the smallest capacity's first, then what each larger one adds.
struct ChannelOrder {
  FiltersByGroup filters;
  std::vector<NestedGroup> groups;  // widths by capacity
};
ChannelOrder order_channels(const Roadmap& roadmap, const Graph& vanilla,
                            const std::vector<int>& entries);

// The model of a roadmap's entry, its channels reordered to be a prefix of the nested model's.
Graph in_order(const Graph& entry, const ChannelOrder& order);

// A larger capacity that is ready to be trained: the smaller one's weights, frozen, as a prefix.
struct Grown {
  Graph graph;
  TrainableMasks masks;
};

// `larger` gives the new filters' first weights and the head's. What has no new channels is frozen.
// In full growth the frozen filters also get trainable weights for the new channels, first zero: at
// the start the old channels compute what they did. In causal growth those weights are zero and
// stay so.
//
//   weights of one layer, full:   [ frozen | 0, trained ]     causal:  [ frozen |   0     ]
//                                 [ larger |   larger   ]              [ larger | larger  ]
Grown grow(const Graph& smaller, const Graph& larger, Growth growth);

}  // namespace nestling
