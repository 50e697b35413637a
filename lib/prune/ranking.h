// How much a network needs each of its channels.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/groups.h"

namespace nestling {

// Importance[group][channel]: higher is more important. Within a group the numbers compare as the
// ranking means them; each place's are divided by their mean size, so that groups compare too.
// Groups that are fixed have none.
using Importance = std::vector<std::vector<double>>;

class Ranking {
 public:
  virtual ~Ranking() = default;

  // `data` are the training images to rank by, already limited to as many as are wanted.
  virtual Importance rank(const Graph& graph, const ChannelGroups& groups,
                          const Dataset& data) const = 0;
};

// What a group that several places share scores, of its score at each: a residual connection's
// channels are the outputs of many layers.
enum class GroupScore { sum, mean, max };
const char* group_score_name(GroupScore score);
GroupScore group_score_from_name(const std::string& name);  // throws Error

// How channels of different groups compare.
enum class Scope {
  global,       // by their scores
  layer,        // not: every group loses the same share (within_groups)
  sensitivity,  // by what the outputs lose for a MAC (prune/sensitivity.h)
};
const char* scope_name(Scope scope);
Scope scope_from_name(const std::string& name);  // throws Error

struct RankingOptions {
  GroupScore group_score = GroupScore::sum;
  int64_t sampled_triplets = 0;  // of "trr": 0 takes all triplets, in closed form
  uint64_t seed = 1;             // of "random" and of sampled triplets
};

// "trr":        Triplet Response Residual of the feature maps after the activation (prune/trr.h)
// "l1":         sum of the filter's absolute weights (Li et al., ICLR 2017)
// "l2":         their Euclidean length
// "fpgm":       the sum of the filter's distances to the others of its layer: what lies near their
//               geometric median can be made of them (He et al., CVPR 2019)
// "taylor":     how much the loss changes, to first order, without it (Molchanov et al., ICLR 2017)
// "bn":         the absolute scale of the batch norm behind it (Liu et al., ICCV 2017)
// "activation": mean absolute feature map after the activation
// "random":     the baseline of baselines
std::vector<std::string> ranking_names();
std::vector<std::string> rankings_without_labels();
std::unique_ptr<Ranking> make_ranking(const std::string& name, const RankingOptions& options);

// The channels of a group, the least important first; equal ones as they lie.
std::vector<size_t> order_of(const std::vector<double>& scores);

// Each score by its place among its own group's, from 0 to 1: cut by these, every group loses the
// same share of its channels.
Importance within_groups(const Importance& importance);

// Each score by what the channel costs, in MACs relative to the mean channel's.
Importance per_macs(const Importance& importance, const Graph& graph, const ChannelGroups& groups);

}  // namespace nestling
