// Prunes a trained model into a roadmap of ever smaller ones.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/tool.h"

#include "data/dataset.h"
#include "graph/onnx.h"
#include "prune/prune.h"

using namespace nestling;

int main(int argc, char** argv) {
  wait_without_spinning(argv);
  Tool tool("nestling-prune",
            "Prunes a trained ONNX model step by step into a roadmap of smaller ones.",
            "nestling-prune model.onnx --data fashion-mnist --out run --max-drop 3");
  std::string model, out;
  DataFlags data_flags;
  PruneOptions options;
  double min_accuracy = 0, max_drop = 100 * options.max_drop;
  options.training.epochs = 1;
  options.training.learning_rate = 0.05;
  tool.app.add_option("model", model, "Trained model")->required()->type_name("MODEL.onnx");
  data_flags.add_to(tool.app)->required();
  tool.app.add_option("--out", out, "Folder of the run; an unfinished run there goes on")
      ->required()
      ->type_name("RUN");
  auto* minimum = tool.app
                      .add_option("--min-accuracy", min_accuracy,
                                  "Stop below this validation accuracy, in percent")
                      ->check(CLI::Range(0.0, 100.0));
  tool.app
      .add_option("--max-drop", max_drop,
                  "Stop at this many percentage points below the model's own accuracy")
      ->check(CLI::Range(0.0, 100.0))
      ->excludes(minimum);
  tool.app.add_option("--rank", options.ranking, "How filters are ranked")
      ->check(CLI::IsMember(ranking_names()));
  tool.app.add_option("--rank-images", options.ranking_images, "Training images to rank by")
      ->check(CLI::Range(2, 10000000));
  tool.app
      .add_option("--triplets", options.ranking_options.sampled_triplets,
                  "Of trr: draw this many triplets instead of the closed form over all; 0 is all")
      ->check(CLI::Range(0, 100000000));
  tool.app.add_option("--step", options.step, "Share of the MACs that one iteration cuts")
      ->check(CLI::Range(0.01, 0.95));
  tool.app
      .add_option("--round-to", options.round_to,
                  "Widths are multiples of this (half of it in small layers)")
      ->check(CLI::Range(1, 64));
  tool.app.add_option("--iterations", options.max_iterations, "At most this many iterations")
      ->check(CLI::Range(1, 100000));
  tool.app.add_option("--epochs", options.training.epochs, "Of retraining, in each iteration")
      ->check(CLI::Range(0, 100000));
  tool.app.add_option("--batch", options.training.batch, "Images in a step")
      ->check(CLI::Range(1, 65536));
  tool.app
      .add_option("--learning-rate", options.training.learning_rate,
                  "Highest of the one-cycle schedule")
      ->check(CLI::PositiveNumber);

  tool.app.add_flag("--force", options.discard,
                    "Start anew: discard a run that is in the folder, saying what it was");

  return tool.main(argc, argv, [&](Progress& progress) -> int {
    Tool::stop_between_steps();
    prepare_training(tool.common.threads);
    options.training.seed = tool.common.seed;
    if (minimum->count() > 0) options.min_accuracy = min_accuracy / 100;
    options.max_drop = max_drop / 100;
    Graph vanilla = load_onnx(model);
    const Dataset data = data_flags.load("train", load_options(vanilla, model), progress);
    adopt(vanilla, data);
    const Roadmap roadmap = prune(vanilla, data, out, options, progress);
    const RoadmapEntry &first = roadmap.entries.front(), &last = roadmap.seed();
    tool.print(
        fmt::format("{}/roadmap.json: {} entries; the seed has {:.1f} % of the MACs and {:.2f} % "
                    "validation accuracy, the model {:.2f} %\n",
                    out, roadmap.entries.size(),
                    100.0 * static_cast<double>(last.macs) / static_cast<double>(first.macs),
                    100 * last.accuracy, 100 * first.accuracy),
        to_json(roadmap));
    return kDone;
  });
}
