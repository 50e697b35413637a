#include "prune/prune.h"

#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>
#include <fnmatch.h>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/run_directory.h"
#include "graph/batch_norms.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "graph/surgery.h"
#include "prune/explain.h"
#include "prune/reconstruct.h"
#include "prune/sensitivity.h"
#include "train/agreement.h"
#include "train/checkpoint.h"
#include "train/evaluate.h"
#include "train/fit.h"
#include "train/statistics.h"

namespace nestling {
namespace fs = std::filesystem;
namespace {

// Of the images to rank by: the difference of outputs is told by fewer than a ranking.
constexpr int64_t kSensitivityImages = 500;

// Groups with the vanilla model's numbers of the filters that are left.
FiltersByGroup all_filters(const ChannelGroups& groups) {
  FiltersByGroup filters;
  for (const ChannelGroup& group : groups.groups) {
    if (group.fixed) continue;
    auto& numbers = filters[group.name];
    numbers.resize(static_cast<size_t>(group.width));
    std::iota(numbers.begin(), numbers.end(), 0);
  }
  return filters;
}

void take_out(FiltersByGroup& filters, const FiltersByGroup& pruned, const std::string& where) {
  for (const auto& [group, numbers] : pruned) {
    std::vector<int64_t>& left = filters[group];
    for (const int64_t number : numbers) {
      const auto found = std::find(left.begin(), left.end(), number);
      if (found == left.end()) fail("{}: {} has no filter {} to prune", where, group, number);
      left.erase(found);
    }
  }
}

// What `kept` cuts, in the vanilla model's numbers.
FiltersByGroup cut_filters(const ChannelGroups& groups, const KeptChannels& kept,
                           const FiltersByGroup& left) {
  FiltersByGroup pruned;
  for (const auto& [g, channels] : kept) {
    const ChannelGroup& group = groups.groups[static_cast<size_t>(g)];
    const std::vector<int64_t>& numbers = left.at(group.name);
    for (int64_t c = 0; c < group.width; ++c) {
      if (std::find(channels.begin(), channels.end(), c) == channels.end()) {
        pruned[group.name].push_back(numbers[static_cast<size_t>(c)]);
      }
    }
    if (pruned[group.name].empty()) pruned.erase(group.name);
  }
  return pruned;
}

std::string widths_of(const FiltersByGroup& filters) {
  std::string text;
  for (const auto& [group, numbers] : filters) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", group, numbers.size());
  }
  return text;
}

RoadmapEntry describe(int index, const Graph& graph, double accuracy, FiltersByGroup pruned) {
  return {index,
          fmt::format("models/{:03}.onnx", index),
          accuracy,
          count_parameters(graph),
          count_macs(graph),
          std::move(pruned),
          {}};
}

Json settings(const Graph& vanilla, const Dataset& data, const PruneOptions& options) {
  Json json = {{"schema", "nestling/run/1"},
               {"model", sha256(export_onnx(vanilla))},
               {"data", digest(data)},
               {"ranking", options.ranking},
               {"group_score", group_score_name(options.ranking_options.group_score)},
               {"scope", scope_name(options.scope)},
               {"per_macs", options.per_macs},
               {"reconstruct", options.reconstruct},
               {"agreement", options.agreement},
               {"triplets", options.ranking_options.sampled_triplets},
               {"ranking_images", options.ranking_images},
               {"min_accuracy", options.min_accuracy ? Json(*options.min_accuracy) : Json()},
               {"max_drop", options.max_drop},
               {"step", options.step},
               {"target", options.target ? Json{{"macs", options.target->macs},
                                                {"parameters", options.target->parameters},
                                                {"latency_ms", options.target->latency_ms}}
                                         : Json()},
               {"round_to", options.rules.round_to},
               {"rebatchnorm", options.rebatchnorm},
               {"skip", options.rules.skip},
               {"only", options.rules.only},
               {"max_cut", options.rules.max_cut},
               {"max_iterations", options.max_iterations}};
  json.update(to_json(options.training));
  return json;
}

// What of a run folder goes when a new run is begun there: all that a run and its recoveries wrote.
std::vector<std::string> run_files(const fs::path& run) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(run, error), end; at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    const bool recovery = fs::exists(at->path() / "recover.json", error);
    if (name == "roadmap.json" || name == "models" || name == "retraining.checkpoint" ||
        name == "multicapacity.onnx" || recovery) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace

int64_t rounded_width(int64_t channels, int64_t round_to) {
  const int64_t unit = channels > 4 * round_to ? round_to : std::max<int64_t>(1, round_to / 2);
  return (channels + unit - 1) / unit * unit;
}

void apply(const CutRules& rules, const Graph& graph, ChannelGroups& groups) {
  const std::vector<std::vector<std::string>> layers = layers_of(graph, groups);
  const auto fits = [&](size_t group, const std::string& pattern) {
    return std::any_of(layers[group].begin(), layers[group].end(), [&](const std::string& layer) {
      return fnmatch(pattern.c_str(), layer.c_str(), 0) == 0;
    });
  };
  const auto among = [&](size_t group, const std::vector<std::string>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return fits(group, pattern); });
  };
  for (const auto* patterns : {&rules.skip, &rules.only}) {
    for (const std::string& pattern : *patterns) {
      size_t group = 0;
      while (group < layers.size() && !fits(group, pattern)) ++group;
      if (group == layers.size()) fail("no layer of {} is named {}", graph.name, pattern);
    }
  }
  for (size_t g = 0; g < layers.size(); ++g) {
    ChannelGroup& group = groups.groups[g];
    if (group.fixed) continue;
    const bool skipped = among(g, rules.skip);
    group.fixed = skipped || (!rules.only.empty() && !among(g, rules.only));
    if (group.fixed) group.reason = skipped ? "it is to be skipped" : "only others are to be cut";
  }
}

KeptChannels choose_channels(const Graph& graph, const ChannelGroups& groups,
                             const Importance& importance, const Budget& budget, int64_t round_to,
                             const std::vector<int64_t>& least, const LatencyOf& latency) {
  struct Channel {
    int32_t group;
    int64_t channel;
    double score;
  };
  std::vector<Channel> order;  // the least important first
  for (size_t g = 0; g < importance.size(); ++g) {
    for (size_t c = 0; c < importance[g].size(); ++c) {
      order.push_back({static_cast<int32_t>(g), static_cast<int64_t>(c), importance[g][c]});
    }
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const Channel& a, const Channel& b) { return a.score < b.score; });
  // What is kept once the first `cut` of the order are gone: as many as are left, rounded up.
  const auto kept_after = [&](size_t cut) {
    std::map<int32_t, int64_t> left;
    for (size_t i = cut; i < order.size(); ++i) ++left[order[i].group];
    KeptChannels kept;
    for (auto at = order.rbegin(); at != order.rend(); ++at) {
      const int64_t enough = std::max(least.empty() ? 1 : least[static_cast<size_t>(at->group)],
                                      std::max<int64_t>(1, left[at->group]));
      const int64_t width = rounded_width(enough, round_to);
      std::vector<int64_t>& channels = kept[at->group];
      if (static_cast<int64_t>(channels.size()) < width) channels.push_back(at->channel);
    }
    for (auto& [group, channels] : kept) std::sort(channels.begin(), channels.end());
    return kept;
  };
  const Graph costs = outline(graph);
  const auto within = [&](size_t cut) {
    const KeptChannels kept = kept_after(cut);
    const Graph after = keep(costs, groups, kept);
    return count_macs(after) <= budget.macs && count_parameters(after) <= budget.parameters &&
           (budget.latency_ms == Budget{}.latency_ms ||
            latency(keep(graph, groups, kept)) <= budget.latency_ms);
  };
  size_t low = 0, high = order.size();  // once within, more cuts stay within
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (within(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  if (order.empty()) return {};
  KeptChannels kept = kept_after(low);
  const bool smaller = std::any_of(kept.begin(), kept.end(), [&](const auto& group) {
    return static_cast<int64_t>(group.second.size()) <
           groups.groups[static_cast<size_t>(group.first)].width;
  });
  return smaller ? kept : KeptChannels{};
}

namespace {

// The groups of the model that has these filters of the vanilla one's left.
ChannelGroups groups_of(const ChannelGroups& vanilla, const FiltersByGroup& left) {
  KeptChannels kept;
  for (const auto& [name, filters] : left) kept[vanilla.find(name)] = filters;
  return restrict(vanilla, kept);
}

// The images, for a ranking that needs labels labelled by what the vanilla model takes them for.
Dataset labelled_for(const std::string& ranking, const Graph& vanilla, Dataset data) {
  const std::vector<std::string> others = rankings_without_labels();
  const bool needs_none = std::find(others.begin(), others.end(), ranking) != others.end();
  if (!data.classes.empty() || needs_none) return data;
  if (default_agreement(vanilla) != "top-1") {
    fail("{} needs labels, or a model with one output [N, classes]; rank by another: {}", ranking,
         fmt::join(others, ", "));
  }
  return labelled_by(vanilla, data);
}

Graph with_batch_norms(const Graph& graph, const Dataset& training) {
  constexpr int64_t kImages = 500;
  const std::vector<ValueId> values = without_batch_norm(graph);
  if (values.empty()) return graph;
  return add_batch_norms(graph, channel_statistics(graph, take(training, kImages), values));
}

// What the next iteration may leave.
Budget next_budget(const RoadmapEntry& entry, const PruneOptions& options) {
  const auto less = [&](int64_t cost, int64_t least) {
    return std::max(least, static_cast<int64_t>((1 - options.step) * static_cast<double>(cost)));
  };
  const Budget target = options.target.value_or(Budget{.macs = 0});
  Budget budget;
  if (target.macs != budget.macs) budget.macs = less(entry.macs, target.macs);
  if (target.parameters != budget.parameters) {
    budget.parameters = less(entry.parameters, target.parameters);
  }
  if (target.latency_ms != budget.latency_ms) {
    // A little less than asked for, so that what is chosen is within it when it is measured again.
    constexpr double kMargin = 0.97;
    budget.latency_ms =
        std::max(kMargin * target.latency_ms, (1 - options.step) * entry.latency_ms.value());
  }
  return budget;
}

bool reached(const RoadmapEntry& entry, const Budget& target) {
  return entry.macs <= target.macs && entry.parameters <= target.parameters &&
         entry.latency_ms.value_or(0) <= target.latency_ms;
}

}  // namespace

Roadmap prune(const Graph& model, const Dataset& data, const fs::path& run_path,
              const PruneOptions& options, Progress& progress) {
  check_fits(model, data);
  const RunDirectory run(run_path, "run.json", settings(model, data, options), progress,
                         options.discard ? run_files(run_path) : std::vector<std::string>{});
  const auto [training, validation] = split_validation(data);
  const Graph vanilla = options.rebatchnorm ? with_batch_norms(model, training) : model;
  const bool labelled = !data.classes.empty();
  const std::string measure = labelled                    ? "accuracy"
                              : options.agreement.empty() ? default_agreement(vanilla)
                                                          : options.agreement;
  const auto score = [&](const Graph& graph, const Dataset& images) {
    return labelled ? accuracy(graph, images) : agreement(graph, vanilla, images, measure);
  };
  const Dataset ranking_data =
      labelled_for(options.ranking, vanilla, take(training, options.ranking_images));
  ChannelGroups vanilla_groups = find_groups(vanilla);
  apply(options.rules, vanilla, vanilla_groups);
  FiltersByGroup left = all_filters(vanilla_groups);
  std::vector<int64_t> least;  // channels of each group that stay
  for (const ChannelGroup& group : vanilla_groups.groups) {
    const double share = (1 - options.rules.max_cut) * static_cast<double>(group.width);
    least.push_back(static_cast<int64_t>(std::ceil(share - 1e-9)));
  }
  const auto measure_latency = [&](RoadmapEntry& entry, const Graph& of) {
    if (!options.latency) return;
    entry.latency_ms = options.latency(of);
    progress.note(fmt::format("{:03}: {:.3f} ms", entry.index, *entry.latency_ms));
  };
  const fs::path checkpoint = run.path() / "retraining.checkpoint";
  const auto say_kept = [&](const Roadmap& roadmap) {
    progress.kept(fmt::format("{} with {} entries", run.path().string(), roadmap.entries.size()));
  };
  const auto commit = [&](const Roadmap& roadmap) {
    run.commit("roadmap.json", json_text(to_json(roadmap)));
    remove_checkpoint(checkpoint);
    say_kept(roadmap);
  };

  Roadmap roadmap;
  Graph graph = vanilla;
  std::error_code error;
  if (fs::exists(run.path() / "roadmap.json", error)) {
    roadmap = read_roadmap(run.path());
    for (const RoadmapEntry& entry : roadmap.entries) {
      take_out(left, entry.pruned, (run.path() / "roadmap.json").string());
    }
    progress.note(fmt::format("{} holds {} entries{}", run.path().string(), roadmap.entries.size(),
                              roadmap.complete ? " and is complete" : "; going on"));
    say_kept(roadmap);
    if (roadmap.complete) {
      remove_checkpoint(checkpoint);
      return roadmap;
    }
    graph = load_onnx(run.path() / roadmap.seed().model);
  } else {
    const double vanilla_accuracy = score(vanilla, validation);
    roadmap.ranking = options.ranking;
    roadmap.measure = measure;
    roadmap.min_accuracy = options.min_accuracy.value_or(vanilla_accuracy - options.max_drop);
    roadmap.data_name = data.name;
    roadmap.data_digest = digest(data);
    if (vanilla_accuracy < roadmap.min_accuracy) {
      fail("the model itself has a validation {} of {:.2f} %, below the minimum of {:.2f} %",
           measure, 100 * vanilla_accuracy, 100 * roadmap.min_accuracy);
    }
    roadmap.entries.push_back(describe(0, vanilla, vanilla_accuracy, {}));
    measure_latency(roadmap.entries.back(), vanilla);
    run.commit(roadmap.entries[0].model, export_onnx(vanilla));
    commit(roadmap);
    progress.note(fmt::format("000: {} MACs, {} {:.2f} %, filters: {}", count_macs(vanilla),
                              measure, 100 * vanilla_accuracy, widths_of(left)));
  }

  TrainOptions retraining = options.training;
  if (labelled) {
    retraining.teacher_logits = ask_teacher(vanilla, training, retraining);
  } else {
    retraining.teacher = &vanilla;
  }
  retraining.checkpoint = checkpoint;
  retraining.replace_checkpoint = true;  // left by a kill just after its result was committed
  while (static_cast<int>(roadmap.entries.size()) <= options.max_iterations) {
    if (options.target && reached(roadmap.entries.back(), *options.target)) break;
    const int index = static_cast<int>(roadmap.entries.size());
    const auto number = static_cast<uint64_t>(index);
    const ChannelGroups groups = groups_of(vanilla_groups, left);
    RankingOptions ranking = options.ranking_options;
    ranking.seed = sub_seed(options.training.seed, {number, 1});
    Importance importance =
        make_ranking(options.ranking, ranking)->rank(graph, groups, ranking_data);
    if (options.scope == Scope::layer) {
      importance = within_groups(importance);
    } else if (options.scope == Scope::sensitivity) {
      importance = by_sensitivity(importance, graph, groups, take(ranking_data, kSensitivityImages),
                                  sub_seed(options.training.seed, {number, 4}));
    }
    if (options.per_macs) importance = per_macs(importance, graph, groups);
    const KeptChannels kept =
        choose_channels(graph, groups, importance, next_budget(roadmap.entries.back(), options),
                        options.rules.round_to, least, options.latency);
    if (kept.empty()) {
      progress.note("nothing more can be cut");
      break;
    }
    const FiltersByGroup pruned = cut_filters(groups, kept, left);
    take_out(left, pruned, "the pruning step");
    const Graph cut = options.reconstruct
                          ? reconstructed(graph, groups, kept, ranking_data,
                                          sub_seed(options.training.seed, {number, 3}))
                          : keep(graph, groups, kept);
    const double before = score(cut, validation);
    retraining.seed = sub_seed(options.training.seed, {number, 2});
    graph = train(cut, training, retraining, progress);
    const double after = score(graph, validation);
    progress.note(
        fmt::format("{:03}: {} MACs ({:.1f} %), {} {:.2f} % cut, {:.2f} % retrained, filters: {}",
                    index, count_macs(graph),
                    100.0 * static_cast<double>(count_macs(graph)) /
                        static_cast<double>(roadmap.entries[0].macs),
                    measure, 100 * before, 100 * after, widths_of(left)));
    if (after < roadmap.min_accuracy) {
      roadmap.rejected = {after, count_macs(graph)};
      progress.note(fmt::format("{:03}: below the minimum of {:.2f} %, not in the roadmap", index,
                                100 * roadmap.min_accuracy));
      break;
    }
    roadmap.entries.push_back(describe(index, graph, after, pruned));
    measure_latency(roadmap.entries.back(), graph);
    run.commit(roadmap.entries.back().model, export_onnx(graph));
    commit(roadmap);
  }
  roadmap.complete = true;
  commit(roadmap);
  return roadmap;
}

}  // namespace nestling
