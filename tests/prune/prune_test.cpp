#include "prune/prune.h"

#include <set>

#include "support/catch.h"
#include "support/schema.h"
#include "support/temporary_folder.h"
#include "support/test_dataset.h"

#include "base/error.h"
#include "base/file.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "graph/zoo.h"
#include "train/evaluate.h"

using nestling::Roadmap;

namespace {

// A trained network and its data.
struct Vanilla {
  TemporaryFolder folder;
  nestling::Dataset data;
  nestling::Graph graph;
  nestling::PruneOptions options;

  Vanilla() {
    test::write_dataset(folder / "bars", 320, 8);
    data = nestling::load_dataset((folder / "bars").string(), "train");
    nestling::prepare_training(1);
    nestling::Progress quiet;
    graph = nestling::train(
        nestling::make_model("small", {.classes = 4, .channels = 1, .height = 8, .width = 8}), data,
        {.epochs = 4, .batch = 32, .learning_rate = 0.05}, quiet);
    options.training = {.epochs = 1, .batch = 32, .learning_rate = 0.02};
    options.min_accuracy = 0.5;
    options.max_iterations = 3;
  }
};

// As if the process were killed after its n-th note.
struct Killer : nestling::Progress {
  explicit Killer(int notes) : left(notes) {}
  void note(const std::string&) override {
    if (--left == 0) throw std::runtime_error("killed");
  }
  int left;
};

std::map<std::string, std::string> files_of(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (!file.is_regular_file()) continue;
    files[std::filesystem::relative(file, folder)] = nestling::read_file(file.path());
  }
  return files;
}

}  // namespace

TEST_CASE("pruning makes a roadmap of ever smaller models") {
  const Vanilla vanilla;
  nestling::Progress quiet;
  const auto run = vanilla.folder / "run";
  const Roadmap roadmap = nestling::prune(vanilla.graph, vanilla.data, run, vanilla.options, quiet);
  REQUIRE(roadmap.entries.size() == 4);
  CHECK(roadmap.complete);
  test::check_schema(nestling::read_file(run / "roadmap.json"), "roadmap.schema.json");
  std::map<std::string, std::set<int64_t>> cut;
  for (size_t i = 0; i < roadmap.entries.size(); ++i) {
    const auto& entry = roadmap.entries[i];
    const nestling::Graph graph = nestling::load_onnx(run / entry.model);
    CHECK(nestling::count_macs(graph) == entry.macs);
    CHECK(nestling::count_parameters(graph) == entry.parameters);
    const auto [training, validation] = nestling::split_validation(vanilla.data);
    CHECK(nestling::accuracy(graph, validation) == Approx(entry.accuracy));
    CHECK(entry.accuracy >= 0.5);
    if (i > 0) {
      CHECK(entry.macs <= 0.75 * static_cast<double>(roadmap.entries[i - 1].macs));
    }
    for (const auto& [group, filters] : entry.pruned) {
      for (const int64_t filter : filters) CHECK(cut[group].insert(filter).second);
    }
    // What the roadmap says was cut is what is missing.
    const auto groups = nestling::find_groups(graph);
    for (const auto& [group, filters] : cut) {
      const auto& full = nestling::find_groups(vanilla.graph);
      CHECK(groups.groups[static_cast<size_t>(groups.find(group))].width +
                static_cast<int64_t>(filters.size()) ==
            full.groups[static_cast<size_t>(full.find(group))].width);
    }
  }
}

TEST_CASE("a run that is killed goes on and ends with the same bytes") {
  const Vanilla vanilla;
  nestling::Progress quiet;
  nestling::prune(vanilla.graph, vanilla.data, vanilla.folder / "whole", vanilla.options, quiet);
  const auto run = vanilla.folder / "killed";
  for (int kill = 0; kill < 2; ++kill) {
    Killer killer(3);
    CHECK_THROWS_WITH(nestling::prune(vanilla.graph, vanilla.data, run, vanilla.options, killer),
                      "killed");
    CHECK_FALSE(nestling::read_roadmap(run).complete);
  }
  nestling::prune(vanilla.graph, vanilla.data, run, vanilla.options, quiet);
  CHECK(files_of(run) == files_of(vanilla.folder / "whole"));
  nestling::PruneOptions other = vanilla.options;
  other.step = 0.3;
  CHECK_THROWS_WITH(nestling::prune(vanilla.graph, vanilla.data, run, other, quiet),
                    ContainsSubstring("its step is 0.25, now 0.3"));
}

TEST_CASE("the first model below the minimum is told, not kept") {
  Vanilla vanilla;
  vanilla.options.training.epochs = 0;  // without retraining accuracy falls at once
  vanilla.options.step = 0.8;
  vanilla.options.min_accuracy = 0.9;
  nestling::Progress quiet;
  const Roadmap roadmap =
      nestling::prune(vanilla.graph, vanilla.data, vanilla.folder / "run", vanilla.options, quiet);
  CHECK(roadmap.entries.size() == 1);
  REQUIRE(roadmap.rejected);
  CHECK(roadmap.rejected->accuracy < 0.9);
  test::check_schema(nestling::json_text(nestling::to_json(roadmap)), "roadmap.schema.json");
  vanilla.options.min_accuracy = 1.01;
  CHECK_THROWS_WITH(
      nestling::prune(vanilla.graph, vanilla.data, vanilla.folder / "run2", vanilla.options, quiet),
      ContainsSubstring("below the minimum"));
}

TEST_CASE("widths are rounded up to what vectors like") {
  CHECK(nestling::rounded_width(1, 8) == 4);
  CHECK(nestling::rounded_width(30, 8) == 32);
  CHECK(nestling::rounded_width(33, 8) == 40);
  CHECK(nestling::rounded_width(5, 1) == 5);
}

TEST_CASE("the least important channels go first, and the order of the others stays") {
  const auto graph = nestling::make_model("small", {.classes = 4});
  const auto groups = nestling::find_groups(graph);
  nestling::Importance importance;
  for (const auto& group : groups.groups) {
    importance.emplace_back(static_cast<size_t>(group.fixed ? 0 : group.width), 1.0);
  }
  const int32_t conv5 = groups.find("conv5");
  for (size_t i = 0; i < 16; ++i) importance[static_cast<size_t>(conv5)][2 * i] = 0.5;
  const int64_t macs = nestling::count_macs(graph);
  const auto kept = nestling::choose_channels(graph, groups, importance, {.macs = macs - 1}, 8);
  for (const auto& [g, channels] : kept) {
    const bool all =
        static_cast<int64_t>(channels.size()) == groups.groups[static_cast<size_t>(g)].width;
    CHECK(all == (g != conv5));
    CHECK(std::is_sorted(channels.begin(), channels.end()));
  }
  CHECK(kept.at(conv5).size() == 56);
  CHECK(nestling::choose_channels(graph, groups, importance, {.macs = 0}, 8).at(conv5).size() == 4);
}

TEST_CASE("a target ends the run, and no group is cut by more than it may") {
  Vanilla vanilla;
  nestling::Progress quiet;
  vanilla.options.training.epochs = 0;
  vanilla.options.min_accuracy = 0;
  vanilla.options.max_iterations = 100;
  vanilla.options.rules = {.skip = {"conv1"}, .max_cut = 0.75, .round_to = 4};
  const int64_t macs = nestling::count_macs(vanilla.graph);
  const int64_t parameters = nestling::count_parameters(vanilla.graph);

  vanilla.options.target = {.macs = macs / 2};
  const auto half =
      nestling::prune(vanilla.graph, vanilla.data, vanilla.folder / "half", vanilla.options, quiet);
  REQUIRE(half.entries.size() == 4);  // three quarters, nine sixteenths, the target
  CHECK(half.seed().macs <= macs / 2);
  CHECK(half.seed().macs >= macs / 2 * 9 / 10);
  CHECK(half.complete);
  for (const auto& entry : half.entries) CHECK(!entry.pruned.contains("conv1"));
  // The same settings are the same run, though most of the target is without a limit.
  CHECK(
      nestling::prune(vanilla.graph, vanilla.data, vanilla.folder / "half", vanilla.options, quiet)
          .entries.size() == 4);

  // Layers may lose different shares.
  vanilla.options.scope = nestling::Scope::sensitivity;
  const auto uneven = nestling::prune(vanilla.graph, vanilla.data, vanilla.folder / "uneven",
                                      vanilla.options, quiet);
  CHECK(uneven.seed().macs <= macs / 2);
  CHECK(uneven.seed().macs >= macs / 2 * 8 / 10);
  CHECK(uneven.entries[1].pruned != half.entries[1].pruned);
  vanilla.options.scope = nestling::Scope::layer;

  vanilla.options.target = {.parameters = parameters / 2};
  const auto small = nestling::prune(vanilla.graph, vanilla.data, vanilla.folder / "small",
                                     vanilla.options, quiet);
  CHECK(small.seed().parameters <= parameters / 2);
  CHECK(small.seed().parameters >= parameters / 2 * 9 / 10);

  // What cannot be reached ends where nothing is left to cut.
  vanilla.options.target = {.macs = 1};
  const auto least = nestling::prune(vanilla.graph, vanilla.data, vanilla.folder / "least",
                                     vanilla.options, quiet);
  const auto groups = nestling::find_groups(vanilla.graph);
  std::map<std::string, size_t> cut;
  for (const auto& entry : least.entries) {
    for (const auto& [group, filters] : entry.pruned) cut[group] += filters.size();
  }
  for (const auto& group : groups.groups) {
    if (!group.fixed && group.name != "conv1") {
      CHECK(cut[group.name] == static_cast<size_t>(group.width) * 3 / 4);
    }
  }
}

TEST_CASE("a target in milliseconds is reached by what is measured") {
  Vanilla vanilla;
  nestling::Progress quiet;
  vanilla.options.training.epochs = 0;
  vanilla.options.target = {.latency_ms = 10};
  vanilla.options.min_accuracy = 0;
  // A device that takes 2 ms, and 18 ms for all that the model computes, and now and then a little
  // longer.
  const auto all = static_cast<double>(nestling::count_macs(vanilla.graph));
  int measured = 0;
  vanilla.options.latency = [&](const nestling::Graph& graph) {
    const double exact = 2 + 18 * static_cast<double>(nestling::count_macs(graph)) / all;
    return ++measured % 3 == 0 ? 1.01 * exact : exact;
  };
  const auto roadmap =
      nestling::prune(vanilla.graph, vanilla.data, vanilla.folder / "run", vanilla.options, quiet);
  REQUIRE(roadmap.entries.size() == 4);  // 20, 15, 11.25 ms, the target
  CHECK(roadmap.entries[0].latency_ms.value() == Approx(20).epsilon(0.02));
  CHECK(roadmap.entries[1].latency_ms.value() == Approx(14.5).epsilon(0.05));
  CHECK(roadmap.seed().latency_ms.value() <= 10);
  CHECK(roadmap.seed().latency_ms.value() > 8.5);
  test::check_schema(nestling::json_text(nestling::to_json(roadmap)), "roadmap.schema.json");
  CHECK(nestling::read_roadmap(vanilla.folder / "run").seed().latency_ms ==
        roadmap.seed().latency_ms);
}
