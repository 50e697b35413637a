#include "recover/recover.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/run_directory.h"
#include "graph/cost.h"
#include "graph/groups.h"
#include "graph/initialise.h"
#include "graph/onnx.h"
#include "graph/surgery.h"
#include "prune/roadmap.h"
#include "recover/growth.h"
#include "recover/joint.h"
#include "train/agreement.h"
#include "train/checkpoint.h"
#include "train/evaluate.h"
#include "train/fit.h"

namespace nestling {
namespace fs = std::filesystem;
namespace {

Json settings(const fs::path& run, const RecoverOptions& options) {
  Json json = {
      {"schema", "nestling/recovery/1"},       {"roadmap", sha256(read_file(run / "roadmap.json"))},
      {"growth", growth_name(options.growth)}, {"capacities", options.capacities},
      {"spread", spread_name(options.spread)}, {"regrown", regrown_name(options.regrown)}};
  if (options.growth == Growth::causal) json["one_by_one"] = options.one_by_one;
  json.update(to_json(options.training));
  return json;
}

std::string capacity_file(int k) { return fmt::format("capacity{}.onnx", k); }

constexpr const char* kJoint = "joint.onnx";

// What a recovery has left: the capacities that are there, in order, or all together.
std::vector<std::string> capacity_files(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (int k = 1; fs::exists(folder / capacity_file(k), error); ++k) {
    names.push_back(capacity_file(k));
  }
  if (fs::exists(folder / kJoint, error)) names.emplace_back(kJoint);
  return names;
}

// The training of a recovery, in the folder that keeps it.
class Growing {
 public:
  // `entries` are the roadmap's that become capacities, in the nested model's order of channels.
  Growing(const RunDirectory& folder, const Graph& vanilla, std::vector<Graph> entries,
          Nesting nesting, const Dataset& data, const RecoverOptions& options, std::string measure,
          Progress& progress)
      : folder_(folder),
        vanilla_(vanilla),
        entries_(std::move(entries)),
        nesting_(std::move(nesting)),
        split_(split_validation(data)),
        options_(options.training),
        together_(trains_together(options)),
        seed_(options.training.seed),
        measure_(std::move(measure)),
        labelled_(!data.classes.empty()),
        progress_(progress) {
    options_.checkpoint = folder.path() / "growing.checkpoint";
    options_.replace_checkpoint = true;  // left by a kill just after its result was committed
    if (!labelled_) options_.teacher = &vanilla;
  }

  Graph run() {
    if (together_) {
      all_together();
    } else {
      one_after_the_other();
    }
    remove_checkpoint(options_.checkpoint);
    return nest(capacities_, nesting_);
  }

 private:
  void one_after_the_other() {
    const int count = static_cast<int>(entries_.size());
    for (int k = 1; k <= count; ++k) {
      capacities_.push_back(kept_or(capacity_file(k), [&] {
        Grown next{entries_[static_cast<size_t>(k - 1)], {}};
        if (k > 1) next = grow(capacities_.back(), next.graph, nesting_.growth);
        options_.masks = std::move(next.masks);
        options_.seed = sub_seed(seed_, {static_cast<uint64_t>(k), 3});
        return train(next.graph, split_.first, options_, progress_);
      }));
      progress_.kept(fmt::format("{} with {} of {} capacities", folder_.path().string(), k, count));
      tell(k);
    }
  }

  void all_together() {
    Nesting nesting = nesting_;  // with as many capacities, as yet of unknown accuracy
    nesting.accuracy.assign(entries_.size(), 0);
    const Graph nested = kept_or(kJoint, [&] {
      options_.seed = sub_seed(seed_, {3});
      return train_joint(start(nesting), split_.first, options_, progress_);
    });
    progress_.kept(fmt::format("{}, trained", folder_.path().string()));
    for (int k = 1; k <= nesting.capacities(); ++k) {
      capacities_.push_back(descend(nested, nesting, k));
      tell(k);
    }
  }

  // All capacities before they are trained together.
  Graph start(const Nesting& nesting) const {
    if (nesting.growth == Growth::joint) return join(entries_, nesting);
    std::vector<Graph> grown = {entries_.front()};
    for (size_t k = 1; k < entries_.size(); ++k) {
      grown.push_back(grow(grown.back(), entries_[k], nesting.growth).graph);
    }
    return nest(grown, nesting);
  }

  // What was committed, or is now.
  template <typename Make>
  Graph kept_or(const std::string& file, const Make& make) {
    std::error_code error;
    if (fs::exists(folder_.path() / file, error)) return load_onnx(folder_.path() / file);
    if (labelled_ && options_.teacher_logits.plain.empty()) {
      options_.teacher_logits = ask_teacher(vanilla_, split_.first, options_);
    }
    Graph made = make();
    folder_.commit(file, export_onnx(made));
    remove_checkpoint(options_.checkpoint);
    return made;
  }

  void tell(int k) {
    const Graph& graph = capacities_.back();
    nesting_.accuracy.push_back(labelled_ ? accuracy(graph, split_.second)
                                          : agreement(graph, vanilla_, split_.second, measure_));
    const auto macs = static_cast<double>(count_macs(graph));
    progress_.note(fmt::format("capacity {}: {} MACs ({:.1f} %), {} {:.2f} %", k, count_macs(graph),
                               100 * macs / static_cast<double>(count_macs(vanilla_)), measure_,
                               100 * nesting_.accuracy.back()));
  }

  const RunDirectory& folder_;
  const Graph& vanilla_;
  const std::vector<Graph> entries_;
  Nesting nesting_;
  const std::pair<Dataset, Dataset> split_;  // training, validation
  TrainOptions options_;
  const bool together_;
  const uint64_t seed_;
  const std::string measure_;
  const bool labelled_;
  Progress& progress_;
  std::vector<Graph> capacities_;  // those that are trained
};

// What the entries, in the nested model's order of channels, begin with.
std::vector<Graph> first_weights(std::vector<Graph> entries, const Nesting& nesting,
                                 const RecoverOptions& options) {
  const Graph vanilla = entries.back();
  const ChannelGroups groups = find_groups(vanilla);
  for (size_t k = 1; k < entries.size(); ++k) {  // the seed is what pruning made it
    if (options.regrown == Regrown::vanilla) {
      entries[k] = keep(vanilla, groups, prefixes(groups, nesting, static_cast<int>(k + 1)));
    } else if (options.regrown == Regrown::fresh) {
      entries[k] = initialised(entries[k], sub_seed(options.training.seed, {k, 4}));
    }
  }
  return entries;
}

}  // namespace

const char* regrown_name(Regrown regrown) {
  switch (regrown) {
    case Regrown::entry:
      return "entry";
    case Regrown::vanilla:
      return "vanilla";
    case Regrown::fresh:
      return "fresh";
  }
  return "";
}

Regrown regrown_from_name(const std::string& name) {
  for (const Regrown regrown : {Regrown::entry, Regrown::vanilla, Regrown::fresh}) {
    if (name == regrown_name(regrown)) return regrown;
  }
  fail("there are no first weights {}; there are entry, vanilla and fresh", name);
}

bool trains_together(const RecoverOptions& options) {
  return options.growth == Growth::joint ||
         (options.growth == Growth::causal && !options.one_by_one);
}

Graph recover(const fs::path& run, const Dataset& data, const RecoverOptions& options,
              Progress& progress) {
  const Roadmap roadmap = read_roadmap(run);
  if (!roadmap.complete) {
    fail("{} is not complete; start nestling-prune again to finish it",
         (run / "roadmap.json").string());
  }
  if (roadmap.data_digest != digest(data)) {
    fail("the roadmap was made from other data ({})", roadmap.data_name);
  }
  const bool labelled = roadmap.measure == "accuracy";
  if (labelled != !data.classes.empty()) {
    fail("the roadmap's models were judged {} labels", labelled ? "by" : "without");
  }
  const std::vector<int> entries = choose_entries(roadmap, options.capacities, options.spread);
  const auto load_entry = [&](int entry) {
    return load_onnx(run / roadmap.entries[static_cast<size_t>(entry)].model);
  };
  const Graph vanilla = load_entry(0);
  std::vector<Graph> pruned;  // all of them before the hours of training that one could end
  for (const int entry : entries) pruned.push_back(load_entry(entry));
  check_fits(vanilla, data);
  const ChannelOrder order = order_channels(roadmap, vanilla, entries);
  const FolderLock lock(run);
  const fs::path path = run / fmt::format("{}-{}", growth_name(options.growth), options.capacities);
  const RunDirectory folder(path, "recover.json", settings(run, options), progress,
                            options.discard ? capacity_files(path) : std::vector<std::string>{});

  Nesting nesting;
  nesting.growth = options.growth;
  nesting.groups = order.groups;
  nesting.own = own_constants(vanilla, options.growth);
  for (Graph& entry : pruned) entry = in_order(entry, order);
  pruned = first_weights(std::move(pruned), nesting, options);
  Graph nested = Growing(folder, vanilla, std::move(pruned), std::move(nesting), data, options,
                         roadmap.measure, progress)
                     .run();
  write_file(run / "multicapacity.onnx", export_onnx(nested));
  return nested;
}

}  // namespace nestling
