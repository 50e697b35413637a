#include "prune/ranking.h"

#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "prune/explain.h"
#include "prune/feature_maps.h"

namespace nestling {
namespace {

// Collects the scores of the places where groups appear.
class GroupScores {
 public:
  GroupScores(const ChannelGroups& groups, GroupScore score) : score_(score) {
    for (const ChannelGroup& group : groups.groups) {
      importance_.emplace_back(static_cast<size_t>(group.fixed ? 0 : group.width));
    }
    places_.resize(importance_.size());
  }

  // One number for each index of an axis, for the channels that lie there, divided by their mean
  // size: every place counts alike.
  void add(const std::vector<ChannelLabel>& labels, const std::vector<double>& scores) {
    std::map<int32_t, std::pair<double, int64_t>> size;  // by group: sum, count
    for (size_t i = 0; i < labels.size(); ++i) {
      if (labels[i].group < 0) continue;
      size[labels[i].group].first += std::abs(scores[i]);
      ++size[labels[i].group].second;
    }
    for (size_t i = 0; i < labels.size(); ++i) {
      if (labels[i].group < 0) continue;
      const auto g = static_cast<size_t>(labels[i].group);
      const auto& [sum, count] = size[labels[i].group];
      if (importance_[g].empty() || sum == 0) continue;
      double& so_far = importance_[g][static_cast<size_t>(labels[i].channel)];
      const double here = scores[i] / sum * static_cast<double>(count);
      if (score_ != GroupScore::max) {
        so_far += here;
      } else if (places_[g] == 0 || here > so_far) {
        so_far = here;
      }
    }
    for (const auto& [group, sum_and_count] : size) ++places_[static_cast<size_t>(group)];
  }

  Importance result() && {
    for (size_t g = 0; g < importance_.size() && score_ == GroupScore::mean; ++g) {
      for (double& score : importance_[g]) score /= std::max(1, places_[g]);
    }
    return std::move(importance_);
  }

 private:
  const GroupScore score_;
  Importance importance_;
  std::vector<int> places_;  // by group
};

class RandomRanking : public Ranking {
 public:
  explicit RandomRanking(uint64_t seed) : seed_(seed) {}

  Importance rank(const Graph&, const ChannelGroups& groups, const Dataset&) const override {
    Importance importance;
    Random random(seed_);
    for (const ChannelGroup& group : groups.groups) {
      importance.emplace_back(static_cast<size_t>(group.fixed ? 0 : group.width));
    }
    for (auto& group : importance) {
      for (double& score : group) score = random.uniform();
    }
    return importance;
  }

 private:
  uint64_t seed_;
};

// By the weights of each layer's filters alone.
class FilterRanking : public Ranking {
 public:
  using Filters = std::vector<std::vector<float>>;
  // A number for each filter of a layer.
  using Score = std::vector<double> (*)(const Filters& filters);
  FilterRanking(Score score, GroupScore group_score) : score_(score), group_score_(group_score) {}

  // The axis of a layer's weights along which its filters lie.
  static std::optional<size_t> filter_axis(const Op& op) {
    if (std::holds_alternative<Conv>(op) || std::holds_alternative<Gemm>(op)) return 0;
    if (std::holds_alternative<ConvTranspose>(op) || std::holds_alternative<MatMul>(op)) return 1;
    return std::nullopt;
  }

  Importance rank(const Graph& graph, const ChannelGroups& groups, const Dataset&) const override {
    GroupScores scores(groups, group_score_);
    for (const Node& node : graph.nodes) {
      const std::optional<size_t> axis = filter_axis(node.op);
      if (!axis || !graph.value(node.inputs[1]).constant) continue;
      const Tensor& weight = graph.constant(node.inputs[1]);
      const auto& axes = groups.labels[static_cast<size_t>(node.inputs[1])];
      if (axes.size() <= *axis || axes[*axis].empty()) continue;
      size_t inner = 1;
      for (size_t a = *axis + 1; a < weight.shape.size(); ++a) {
        inner *= static_cast<size_t>(weight.shape[a]);
      }
      Filters filters(axes[*axis].size());
      for (size_t i = 0; i < weight.data.size(); ++i) {
        filters[i / inner % filters.size()].push_back(weight.data[i]);
      }
      scores.add(axes[*axis], score_(filters));
    }
    return std::move(scores).result();
  }

 private:
  Score score_;
  GroupScore group_score_;
};

std::vector<double> l1_norms(const FilterRanking::Filters& filters) {
  std::vector<double> scores;
  for (const auto& filter : filters) {
    double sum = 0;
    for (const float w : filter) sum += std::abs(w);
    scores.push_back(sum);
  }
  return scores;
}

std::vector<double> l2_norms(const FilterRanking::Filters& filters) {
  std::vector<double> scores;
  for (const auto& filter : filters) {
    double sum = 0;
    for (const double w : filter) sum += w * w;
    scores.push_back(std::sqrt(sum));
  }
  return scores;
}

// What is near the geometric median of a layer's filters can be made of the others.
std::vector<double> distances_to_others(const FilterRanking::Filters& filters) {
  std::vector<double> scores(filters.size());
  for (size_t i = 0; i < filters.size(); ++i) {
    for (size_t j = i + 1; j < filters.size(); ++j) {
      double square = 0;
      for (size_t n = 0; n < filters[i].size(); ++n) {
        const double difference = filters[i][n] - filters[j][n];
        square += difference * difference;
      }
      scores[i] += std::sqrt(square);
      scores[j] += std::sqrt(square);
    }
  }
  return scores;
}

// By the scales of the batch norms.
class BatchNormRanking : public Ranking {
 public:
  explicit BatchNormRanking(GroupScore group_score) : group_score_(group_score) {}

  Importance rank(const Graph& graph, const ChannelGroups& groups, const Dataset&) const override {
    GroupScores all(groups, group_score_);
    bool any = false;
    for (const Node& node : graph.nodes) {
      if (!std::holds_alternative<BatchNorm>(node.op)) continue;
      const auto& axes = groups.labels[static_cast<size_t>(node.inputs[1])];
      if (axes.empty() || axes[0].empty()) continue;
      std::vector<double> scores;
      for (const float scale : graph.constant(node.inputs[1]).data) {
        scores.push_back(std::abs(scale));
      }
      all.add(axes[0], scores);
      any = true;
    }
    if (!any) fail("the network has no batch norms to rank by; choose another ranking");
    return std::move(all).result();
  }

 private:
  GroupScore group_score_;
};

// By the feature maps that the images make.
class MapRanking : public Ranking {
 public:
  using Score = std::function<ChannelScores(const Graph&, const std::vector<ValueId>& values,
                                            const Dataset&)>;
  MapRanking(Score score, GroupScore group_score)
      : score_(std::move(score)), group_score_(group_score) {}

  Importance rank(const Graph& graph, const ChannelGroups& groups,
                  const Dataset& data) const override {
    GroupScores all(groups, group_score_);
    for (const auto& [value, scores] : score_(graph, ranked_values(graph, groups), data)) {
      all.add(groups.labels[static_cast<size_t>(value)][1], scores);
    }
    return std::move(all).result();
  }

 private:
  Score score_;
  GroupScore group_score_;
};

MapRanking::Score trr(const RankingOptions& options) {
  if (options.sampled_triplets == 0) return exact_trr;
  return [=](const Graph& graph, const std::vector<ValueId>& values, const Dataset& data) {
    return sampled_trr(graph, values, data, options.sampled_triplets, options.seed);
  };
}

}  // namespace

std::vector<std::string> ranking_names() {
  return {"trr", "l1", "l2", "fpgm", "taylor", "bn", "activation", "random"};
}
std::vector<std::string> rankings_without_labels() {
  std::vector<std::string> names = ranking_names();
  std::erase(names, "trr");
  std::erase(names, "taylor");
  return names;
}

std::unique_ptr<Ranking> make_ranking(const std::string& name, const RankingOptions& options) {
  const GroupScore by = options.group_score;
  if (name == "trr") return std::make_unique<MapRanking>(trr(options), by);
  if (name == "l1") return std::make_unique<FilterRanking>(l1_norms, by);
  if (name == "l2") return std::make_unique<FilterRanking>(l2_norms, by);
  if (name == "fpgm") return std::make_unique<FilterRanking>(distances_to_others, by);
  if (name == "taylor") return std::make_unique<MapRanking>(first_order_changes, by);
  if (name == "bn") return std::make_unique<BatchNormRanking>(by);
  if (name == "activation") return std::make_unique<MapRanking>(mean_magnitudes, by);
  if (name == "random") return std::make_unique<RandomRanking>(options.seed);
  fail("there is no ranking {}; there are: {}", name, fmt::join(ranking_names(), ", "));
}

const char* group_score_name(GroupScore score) {
  switch (score) {
    case GroupScore::sum:
      return "sum";
    case GroupScore::mean:
      return "mean";
    case GroupScore::max:
      return "max";
  }
  return "";
}

GroupScore group_score_from_name(const std::string& name) {
  for (const GroupScore score : {GroupScore::sum, GroupScore::mean, GroupScore::max}) {
    if (name == group_score_name(score)) return score;
  }
  fail("there is no group score {}; there are sum, mean, max", name);
}

const char* scope_name(Scope scope) {
  switch (scope) {
    case Scope::global:
      return "global";
    case Scope::layer:
      return "layer";
    case Scope::sensitivity:
      return "sensitivity";
  }
  return "";
}

Scope scope_from_name(const std::string& name) {
  for (const Scope scope : {Scope::global, Scope::layer, Scope::sensitivity}) {
    if (name == scope_name(scope)) return scope;
  }
  fail("there is no scope {}; there are global, layer, sensitivity", name);
}

std::vector<size_t> order_of(const std::vector<double>& scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] < scores[b]; });
  return order;
}

Importance within_groups(const Importance& importance) {
  Importance result = importance;
  for (std::vector<double>& group : result) {
    const std::vector<size_t> order = order_of(group);
    std::vector<double> places(group.size());
    for (size_t i = 0; i < order.size(); ++i) {
      places[order[i]] = (static_cast<double>(i) + 0.5) / static_cast<double>(order.size());
    }
    group = std::move(places);
  }
  return result;
}

Importance per_macs(const Importance& importance, const Graph& graph, const ChannelGroups& groups) {
  const std::vector<GroupReport> reports = describe_groups(graph, groups);
  double macs = 0, channels = 0;
  for (const GroupReport& report : reports) {
    macs += static_cast<double>(report.macs_per_channel * report.channels);
    channels += static_cast<double>(report.macs_per_channel > 0 ? report.channels : 0);
  }
  Importance result = importance;
  for (size_t g = 0; g < result.size(); ++g) {
    if (reports[g].macs_per_channel == 0) continue;
    const double relative = static_cast<double>(reports[g].macs_per_channel) * channels / macs;
    for (double& score : result[g]) score /= relative;
  }
  return result;
}

}  // namespace nestling
