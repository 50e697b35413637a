#include "recover/recover.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/run_directory.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "prune/roadmap.h"
#include "recover/growth.h"
#include "recover/joint.h"
#include "train/agreement.h"
#include "train/checkpoint.h"

namespace nestling {
namespace fs = std::filesystem;
namespace {

Json settings(const fs::path& run, const RecoverOptions& options) {
  Json json = {{"schema", "nestling/recovery/1"},
               {"roadmap", sha256(read_file(run / "roadmap.json"))},
               {"growth", growth_name(options.growth)},
               {"capacities", options.capacities}};
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

}  // namespace

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
  const std::vector<int> entries = choose_entries(roadmap, options.capacities);
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

  const auto [training, validation] = split_validation(data);
  Nesting nesting;
  nesting.growth = options.growth;
  nesting.groups = order.groups;
  nesting.own = own_constants(vanilla, options.growth);
  TrainOptions growing = options.training;
  growing.checkpoint = path / "growing.checkpoint";
  growing.replace_checkpoint = true;  // left by a kill just after its result was committed
  if (!labelled) growing.teacher = &vanilla;
  const auto teach = [&] {
    if (labelled && growing.teacher_outputs.plain.empty()) {
      growing.teacher_outputs = ask_teacher(vanilla, training, growing);
    }
  };
  std::vector<Graph> capacities;
  const auto evaluate = [&](const Graph& graph) {
    return labelled ? accuracy(graph, validation)
                    : agreement(graph, vanilla, validation, roadmap.measure);
  };
  const auto note = [&](int k) {
    const Graph& graph = capacities[static_cast<size_t>(k - 1)];
    progress.note(fmt::format(
        "capacity {}: {} MACs ({:.1f} %), {} {:.2f} %", k, count_macs(graph),
        100.0 * static_cast<double>(count_macs(graph)) / static_cast<double>(count_macs(vanilla)),
        roadmap.measure, 100 * nesting.accuracy[static_cast<size_t>(k - 1)]));
  };
  if (options.growth == Growth::joint) {
    nesting.accuracy.assign(pruned.size(), 0);
    const std::string file = kJoint;
    Graph nested;
    std::error_code error;
    if (fs::exists(folder.path() / file, error)) {
      nested = load_onnx(folder.path() / file);
    } else {
      teach();
      std::vector<Graph> entries_in_order;
      for (const Graph& entry : pruned) entries_in_order.push_back(in_order(entry, order));
      growing.seed = sub_seed(options.training.seed, {3});
      nested = train_joint(join(entries_in_order, nesting), nesting, training, growing, progress);
      folder.commit(file, export_onnx(nested));
      remove_checkpoint(growing.checkpoint);
    }
    progress.kept(fmt::format("{}, trained", path.string()));
    for (int k = 1; k <= options.capacities; ++k) {
      capacities.push_back(descend(nested, nesting, k));
      nesting.accuracy[static_cast<size_t>(k - 1)] = evaluate(capacities.back());
      note(k);
    }
  }
  for (int k = 1; k <= options.capacities && options.growth != Growth::joint; ++k) {
    const std::string file = capacity_file(k);
    std::error_code error;
    if (fs::exists(folder.path() / file, error)) {
      capacities.push_back(load_onnx(folder.path() / file));
    } else {
      teach();
      Grown next{in_order(pruned[static_cast<size_t>(k - 1)], order), {}};
      if (k > 1) next = grow(capacities.back(), next.graph, options.growth);
      growing.masks = std::move(next.masks);
      growing.seed = sub_seed(options.training.seed, {static_cast<uint64_t>(k), 3});
      capacities.push_back(train(next.graph, training, growing, progress));
      folder.commit(file, export_onnx(capacities.back()));
      remove_checkpoint(growing.checkpoint);
    }
    progress.kept(fmt::format("{} with {} of {} capacities", path.string(), k, options.capacities));
    nesting.accuracy.push_back(evaluate(capacities.back()));
    note(k);
  }
  const Graph nested = nest(capacities, nesting);
  write_file(run / "multicapacity.onnx", export_onnx(nested));
  remove_checkpoint(growing.checkpoint);
  return nested;
}

}  // namespace nestling
