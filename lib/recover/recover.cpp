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

// The capacities that are there, in order.
std::vector<std::string> capacity_files(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (int k = 1; fs::exists(folder / capacity_file(k), error); ++k) {
    names.push_back(capacity_file(k));
  }
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
  std::vector<Graph> capacities;
  for (int k = 1; k <= options.capacities; ++k) {
    const std::string file = capacity_file(k);
    std::error_code error;
    if (fs::exists(folder.path() / file, error)) {
      capacities.push_back(load_onnx(folder.path() / file));
    } else {
      if (labelled && growing.teacher_outputs.plain.empty()) {
        growing.teacher_outputs = ask_teacher(vanilla, training, growing);
      }
      Grown next{in_order(pruned[static_cast<size_t>(k - 1)], order), {}};
      if (k > 1) next = grow(capacities.back(), next.graph, options.growth);
      growing.masks = std::move(next.masks);
      growing.seed = sub_seed(options.training.seed, {static_cast<uint64_t>(k), 3});
      capacities.push_back(train(next.graph, training, growing, progress));
      folder.commit(file, export_onnx(capacities.back()));
      remove_checkpoint(growing.checkpoint);
    }
    progress.kept(fmt::format("{} with {} of {} capacities", path.string(), k, options.capacities));
    const Graph& graph = capacities.back();
    nesting.accuracy.push_back(labelled ? accuracy(graph, validation)
                                        : agreement(graph, vanilla, validation, roadmap.measure));
    progress.note(fmt::format(
        "capacity {}: {} MACs ({:.1f} %), {} {:.2f} %", k, count_macs(graph),
        100.0 * static_cast<double>(count_macs(graph)) / static_cast<double>(count_macs(vanilla)),
        roadmap.measure, 100 * nesting.accuracy.back()));
  }
  const Graph nested = nest(capacities, nesting);
  write_file(run / "multicapacity.onnx", export_onnx(nested));
  remove_checkpoint(growing.checkpoint);
  return nested;
}

}  // namespace nestling
