#include "prune/ranking.h"

#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/random.h"
#include "prune/feature_maps.h"
#include "prune/trr.h"

namespace nestling {
namespace {

Importance zeros(const ChannelGroups& groups) {
  Importance importance;
  for (const ChannelGroup& group : groups.groups) {
    importance.emplace_back(static_cast<size_t>(group.fixed ? 0 : group.width));
  }
  return importance;
}

// Adds one number for each index of an axis to the channels that lie there, after dividing them by
// their mean size: every place where a group appears counts alike.
void add_scores(Importance& importance, const std::vector<ChannelLabel>& labels,
                const std::vector<double>& scores) {
  std::map<int32_t, std::pair<double, int64_t>> size;  // by group: sum, count
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].group < 0) continue;
    size[labels[i].group].first += std::abs(scores[i]);
    ++size[labels[i].group].second;
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].group < 0) continue;
    auto& group = importance[static_cast<size_t>(labels[i].group)];
    const auto& [sum, count] = size[labels[i].group];
    if (group.empty() || sum == 0) continue;
    group[static_cast<size_t>(labels[i].channel)] += scores[i] / sum * static_cast<double>(count);
  }
}

class RandomRanking : public Ranking {
 public:
  explicit RandomRanking(uint64_t seed) : seed_(seed) {}

  Importance rank(const Graph&, const ChannelGroups& groups, const Dataset&) const override {
    Importance importance = zeros(groups);
    Random random(seed_);
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
  explicit FilterRanking(Score score) : score_(score) {}

  // The axis of a layer's weights along which its filters lie.
  static std::optional<size_t> filter_axis(const Op& op) {
    if (std::holds_alternative<Conv>(op) || std::holds_alternative<Gemm>(op)) return 0;
    if (std::holds_alternative<ConvTranspose>(op) || std::holds_alternative<MatMul>(op)) return 1;
    return std::nullopt;
  }

  Importance rank(const Graph& graph, const ChannelGroups& groups, const Dataset&) const override {
    Importance importance = zeros(groups);
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
      add_scores(importance, axes[*axis], score_(filters));
    }
    return importance;
  }

 private:
  Score score_;
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
  Importance rank(const Graph& graph, const ChannelGroups& groups, const Dataset&) const override {
    Importance importance = zeros(groups);
    bool any = false;
    for (const Node& node : graph.nodes) {
      if (!std::holds_alternative<BatchNorm>(node.op)) continue;
      const auto& axes = groups.labels[static_cast<size_t>(node.inputs[1])];
      if (axes.empty() || axes[0].empty()) continue;
      std::vector<double> scores;
      for (const float scale : graph.constant(node.inputs[1]).data) {
        scores.push_back(std::abs(scale));
      }
      add_scores(importance, axes[0], scores);
      any = true;
    }
    if (!any) fail("the network has no batch norms to rank by; choose another ranking");
    return importance;
  }
};

class ActivationRanking : public Ranking {
 public:
  Importance rank(const Graph& graph, const ChannelGroups& groups,
                  const Dataset& data) const override {
    Importance importance = zeros(groups);
    for (const auto& [value, scores] : mean_magnitudes(graph, ranked_values(graph, groups), data)) {
      add_scores(importance, groups.labels[static_cast<size_t>(value)][1], scores);
    }
    return importance;
  }
};

class TrrRanking : public Ranking {
 public:
  explicit TrrRanking(const RankingOptions& options) : options_(options) {}

  Importance rank(const Graph& graph, const ChannelGroups& groups,
                  const Dataset& data) const override {
    Importance importance = zeros(groups);
    const std::vector<ValueId> values = ranked_values(graph, groups);
    const auto residuals =
        options_.sampled_triplets > 0
            ? sampled_trr(graph, values, data, options_.sampled_triplets, options_.seed)
            : exact_trr(graph, values, data);
    for (const auto& [value, scores] : residuals) {
      add_scores(importance, groups.labels[static_cast<size_t>(value)][1], scores);
    }
    return importance;
  }

 private:
  RankingOptions options_;
};

}  // namespace

std::vector<std::string> ranking_names() {
  return {"trr", "l1", "l2", "fpgm", "bn", "activation", "random"};
}
std::vector<std::string> rankings_without_labels() {
  std::vector<std::string> names = ranking_names();
  std::erase(names, "trr");
  return names;
}

std::unique_ptr<Ranking> make_ranking(const std::string& name, const RankingOptions& options) {
  if (name == "trr") return std::make_unique<TrrRanking>(options);
  if (name == "l1") return std::make_unique<FilterRanking>(l1_norms);
  if (name == "l2") return std::make_unique<FilterRanking>(l2_norms);
  if (name == "fpgm") return std::make_unique<FilterRanking>(distances_to_others);
  if (name == "bn") return std::make_unique<BatchNormRanking>();
  if (name == "activation") return std::make_unique<ActivationRanking>();
  if (name == "random") return std::make_unique<RandomRanking>(options.seed);
  fail("there is no ranking {}; there are: {}", name, fmt::join(ranking_names(), ", "));
}

}  // namespace nestling
