// Grows the seed of a roadmap back into one multi-capacity model.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/recipe.h"
#include "common/tool.h"
#include "common/workers.h"

#include "data/dataset.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "prune/roadmap.h"
#include "recover/joint.h"
#include "recover/recover.h"
#include "train/fit.h"

using namespace nestling;

int main(int argc, char** argv) {
  wait_without_spinning(argv);
  Tool tool("nestling-recover",
            "Grows the smallest model of a pruning run back into one multi-capacity model.",
            "nestling-recover run --data fashion-mnist --capacities 5");
  std::string run, growth = "joint", spread = "macs", regrown = "entry";
  DataFlags data_flags;
  Workers workers;
  RecoverOptions options;
  tool.app.add_option("run", run, "Folder of a nestling-prune run")->required()->type_name("RUN");
  data_flags.add_to(tool.app)->required();
  tool.app.add_option("--capacities", options.capacities, "Sizes of the model")
      ->check(CLI::Range(1, 64));
  tool.app
      .add_option(
          "--growth", growth,
          "joint: all are trained together; causal: too, but what smaller ones compute "
          "stays as it is in larger ones, so that an answer can be refined; full: one after "
          "the other, what the smaller ones have frozen, but for weights for new channels")
      ->check(CLI::IsMember({"full", "causal", "joint"}));
  tool.app.add_flag(
      "--one-by-one", options.one_by_one,
      "With --growth causal: one capacity after the other, what the smaller ones have "
      "frozen, as with full");
  tool.app
      .add_option("--spread", spread,
                  "Which entries of the roadmap become capacities: evenly in macs, or in "
                  "latency, if the roadmap has it, or where a budget of any size gets the highest "
                  "accuracy in the mean")
      ->check(CLI::IsMember({"macs", "latency", "accuracy"}));
  tool.app
      .add_option("--init", regrown,
                  "First weights of what a capacity adds: those of its entry of the roadmap, of "
                  "the vanilla model, or fresh ones")
      ->check(CLI::IsMember({"entry", "vanilla", "fresh"}));
  workers.add_to(tool.app);
  add_training_flags(tool.app, options.training,
                     "Of training: for all together, 5; one by one, for each capacity, 2");
  CLI::Option* epochs_flag = tool.app.get_option("--epochs")->default_str("");
  CLI::Option* rate_flag = tool.app.get_option("--learning-rate")
                               ->default_str("")
                               ->description(
                                   "Highest of the one-cycle schedule, together 0.1, one by "
                                   "one 0.05; halved where the training diverges");
  add_distill_flag(tool.app, options.training,
                   "the vanilla model's outputs, together from those and the largest capacity's, "
                   "which learns from labels alone");

  tool.app.add_flag("--force", options.discard,
                    "Start anew: discard a recovery that is there, saying what it was");

  return tool.main(argc, argv, [&](Progress& progress) -> int {
    Tool::stop_between_steps();
    const auto crew = workers.gather(argv, tool.common.threads, serve_recoveries);
    if (!crew) return kDone;
    options.training.seed = tool.common.seed;
    options.growth = growth_from_name(growth);
    if (options.one_by_one && options.growth == Growth::joint) {
      fail("--one-by-one is not for --growth joint");
    }
    const bool together = trains_together(options);
    if (epochs_flag->count() == 0) options.training.epochs = together ? 5 : 2;
    if (rate_flag->count() == 0) options.training.learning_rate = together ? 0.1 : 0.05;
    options.spread = spread_from_name(spread);
    options.regrown = regrown_from_name(regrown);
    // Every model of the run takes its data as the vanilla one does.
    const Roadmap roadmap = read_roadmap(run);
    const std::string vanilla = run + "/" + roadmap.entries.front().model;
    LoadOptions loading = load_options(load_onnx(vanilla), vanilla);
    loading.unlabelled = roadmap.measure != "accuracy";
    const Dataset data = data_flags.load("train", loading, progress);
    const Graph nested = recover(run, data, options, progress);
    const Nesting nesting = nesting_of(nested, run);
    Json capacities = Json::array();
    std::string text = fmt::format("{}/multicapacity.onnx:\n", run);
    for (int k = 1; k <= nesting.capacities(); ++k) {
      const Graph graph = descend(nested, nesting, k);
      const double accuracy = nesting.accuracy[static_cast<size_t>(k - 1)];
      capacities.push_back({{"capacity", k},
                            {"accuracy", accuracy},
                            {"parameters", count_parameters(graph)},
                            {"macs", count_macs(graph)}});
      text +=
          fmt::format("  capacity {}: {} MACs, {} parameters, {:.2f} % validation {}\n", k,
                      count_macs(graph), count_parameters(graph), 100 * accuracy, roadmap.measure);
    }
    tool.print(text, {{"model", run + "/multicapacity.onnx"},
                      {"growth", growth},
                      {"measure", roadmap.measure},
                      {"capacities", capacities}});
    return kDone;
  });
}
