// Prunes a trained model into a roadmap of ever smaller ones.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/image_flags.h"
#include "common/recipe.h"
#include "common/tool.h"
#include "common/workers.h"

#include "base/error.h"
#include "data/dataset.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "profile/run_tool.h"
#include "prune/explain.h"
#include "prune/prune.h"
#include "train/fit.h"

using namespace nestling;

namespace {

// "300M", "25000" or "50%" of `all`.
int64_t amount(const std::string& flag, const std::string& text, int64_t all) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  double factor = 1;
  if (unit == "%") factor = static_cast<double>(all) / 100;
  if (unit == "K") factor = 1e3;
  if (unit == "M") factor = 1e6;
  if (unit == "G") factor = 1e9;
  const double result = number * factor;
  const bool known = unit.empty() || factor != 1;
  if (end == text.c_str() || !known || !(result >= 1) || result > 1e18) {
    fail("{} is a number such as 250000, 300M or 50%, not {}", flag, text);
  }
  return static_cast<int64_t>(result);
}

}  // namespace

int main(int argc, char** argv) {
  wait_without_spinning(argv);
  Tool tool("nestling-prune",
            "Prunes a trained ONNX model step by step into a roadmap of smaller ones.",
            "nestling-prune model.onnx --data fashion-mnist --out run --max-drop 3");
  std::string model, out, explain, target_macs, target_parameters,
      loss = "labels", group_score = "sum", scope = "layer";
  ImageFlags images;
  DataFlags data_flags;
  Workers workers;
  PruneOptions options;
  double min_accuracy = 0, max_drop = 100 * options.max_drop, target_latency = 0;
  RunTool run_tool;
  run_tool.path = run_tool_beside();
  options.training.epochs = 1;
  options.training.learning_rate = 0.05;
  tool.app.add_option("model", model, "Trained model")->required()->type_name("MODEL.onnx");
  auto* data_option = data_flags.add_to(tool.app);
  auto* out_option =
      tool.app.add_option("--out", out, "Folder of the run; an unfinished run there goes on")
          ->type_name("RUN");
  images.add_to(tool.app);
  auto* explain_option =
      tool.app
          .add_flag("--explain{text}", explain,
                    "Cut nothing: say what can be cut, what each channel costs, and what cannot "
                    "and why; --explain=dot draws it for Graphviz")
          ->check(CLI::IsMember({"text", "dot"}))
          ->excludes(data_option)
          ->excludes(out_option);
  auto* minimum = tool.app
                      .add_option("--min-accuracy", min_accuracy,
                                  "Stop below this validation accuracy, in percent")
                      ->check(CLI::Range(0.0, 100.0));
  tool.app
      .add_option("--max-drop", max_drop,
                  "Stop at this many percentage points below the model's own accuracy")
      ->check(CLI::Range(0.0, 100.0))
      ->excludes(minimum);
  tool.app
      .add_option("--loss", loss,
                  "Retrain and judge by the data's labels, or, of any network and of images "
                  "without labels, by what the model itself makes of them: its outputs and the "
                  "attention of its feature maps")
      ->check(CLI::IsMember({"labels", "distill"}));
  tool.app
      .add_option("--agreement", options.agreement,
                  "With --loss distill, what stands for accuracy: agreement with the model in the "
                  "highest output (default if there is one output [N, classes]) or the cosine")
      ->check(CLI::IsMember({"top-1", "cosine"}));
  tool.app.add_option("--rank", options.ranking, "How filters are ranked")
      ->check(CLI::IsMember(ranking_names()));
  tool.app
      .add_option("--group-score", group_score,
                  "What a channel of several layers scores, of its score in each")
      ->check(CLI::IsMember({"sum", "mean", "max"}));
  tool.app
      .add_option("--scope", scope,
                  "layer: every layer loses the same share of its channels; global: the least "
                  "important go, wherever they are; sensitivity: layers end where a MAC is worth "
                  "the same to the outputs, which pays in deep networks and takes up to 24 passes "
                  "over 500 images for each layer")
      ->check(CLI::IsMember({"global", "layer", "sensitivity"}));
  tool.app.add_flag("--per-macs", options.per_macs,
                    "A channel's importance is its score by the MACs that it costs");
  tool.app.add_flag("--reconstruct,!--no-reconstruct", options.reconstruct,
                    "After each cut, refit the layers that lost inputs by least squares");
  tool.app
      .add_option("--rank-images", options.ranking_images,
                  "Training images to rank by, and to reconstruct with")
      ->check(CLI::Range(2, 10000000));
  tool.app
      .add_option("--triplets", options.ranking_options.sampled_triplets,
                  "Of trr: draw this many triplets instead of the closed form over all; 0 is all")
      ->check(CLI::Range(0, 100000000));
  auto* drop = tool.app.get_option("--max-drop");
  tool.app
      .add_option("--target-macs", target_macs,
                  "Stop at this many multiply-accumulates (such as 300M), or this share of the "
                  "model's (such as 50%); accuracy then only limits if it is asked for")
      ->type_name("N[K|M|G|%]");
  tool.app
      .add_option("--target-params", target_parameters, "Stop at this many parameters, likewise")
      ->type_name("N[K|M|G|%]");
  tool.app
      .add_option("--target-latency-ms", target_latency,
                  "Stop when one inference takes this many milliseconds, measured by nestling-run "
                  "here or by --runner; each iteration cuts --step of the time")
      ->check(CLI::PositiveNumber);
  tool.app.add_option("--runner", run_tool.runner,
                      "Command that starts the run tool elsewhere, such as 'ssh pi'; it must find "
                      "--out at the same path");
  tool.app.add_option("--run-tool", run_tool.path, "The nestling-run that measures")
      ->capture_default_str();
  tool.app.add_option("--latency-threads", run_tool.threads, "Of the inferences that it measures")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  tool.app.add_option("--tuning", run_tool.tuning,
                      "A file, where the run tool runs, that keeps how each convolution that it "
                      "measures is fastest (as nestling-run --tuning)");
  tool.app
      .add_option(
          "--skip", options.rules.skip,
          "Leave the groups of the layers with this name; * and ? as in a shell; repeatable")
      ->type_name("PATTERN");
  tool.app
      .add_option("--only", options.rules.only,
                  "Cut only the groups of the layers with this name; repeatable")
      ->type_name("PATTERN");
  tool.app
      .add_option("--max-cut", options.rules.max_cut,
                  "Share of the channels that a group may lose at most")
      ->check(CLI::Range(0.0, 1.0));
  tool.app.add_flag("--rebatchnorm,!--no-rebatchnorm", options.rebatchnorm,
                    "Of a model without norms, whose exporter folded batch norms: train with new "
                    "ones; packages and --to onnx have them folded again");
  tool.app
      .add_option("--step", options.step,
                  "Share of the MACs (or of what --target-params counts) that one iteration cuts")
      ->check(CLI::Range(0.01, 0.95));
  tool.app
      .add_option("--round-to", options.rules.round_to,
                  "Widths are multiples of this (half of it in small layers)")
      ->check(CLI::Range(1, 64));
  tool.app.add_option("--iterations", options.max_iterations, "At most this many iterations")
      ->check(CLI::Range(1, 100000));
  workers.add_to(tool.app);
  add_training_flags(tool.app, options.training, "Of retraining, in each iteration");
  add_distill_flag(tool.app, options.training);

  tool.app.add_flag("--force", options.discard,
                    "Start anew: discard a run that is in the folder, saying what it was");

  tool.app.callback([&] {
    if (explain_option->count() > 0) return;
    if (data_option->count() == 0) throw CLI::RequiredError("--data");
    if (out_option->count() == 0) throw CLI::RequiredError("--out");
    if (options.per_macs && scope == "sensitivity") {
      throw CLI::ValidationError("--per-macs", "--scope sensitivity counts MACs already");
    }
  });
  return tool.main(argc, argv, [&](Progress& progress) -> int {
    Tool::stop_between_steps();
    if (explain_option->count() > 0) {
      const Graph graph = images.load(model);
      ChannelGroups groups = find_groups(graph);
      apply(options.rules, graph, groups);
      const std::vector<GroupReport> reports = describe_groups(graph, groups);
      tool.print(
          explain == "dot" ? explain_as_dot(graph, reports) : explain_as_text(graph, reports),
          explain_as_json(graph, reports));
      return kDone;
    }
    const auto crew = workers.gather(argv, tool.common.threads, serve_trainings);
    if (!crew) return kDone;
    options.training.seed = tool.common.seed;
    if (minimum->count() > 0) options.min_accuracy = min_accuracy / 100;
    options.max_drop = max_drop / 100;
    options.ranking_options.group_score = group_score_from_name(group_score);
    options.scope = scope_from_name(scope);
    Graph vanilla = images.load(model);
    if (!target_macs.empty() || !target_parameters.empty() || target_latency > 0) {
      options.target = Budget{};
      if (!target_macs.empty()) {
        options.target->macs = amount("--target-macs", target_macs, count_macs(vanilla));
      }
      if (!target_parameters.empty()) {
        options.target->parameters =
            amount("--target-params", target_parameters, count_parameters(vanilla));
      }
      if (target_latency > 0) {
        options.target->latency_ms = target_latency;
        options.latency = [&](const Graph& graph) {
          constexpr int kRuns = 30;
          return latency_ms(run_tool, graph, out + ".candidate.nest", kRuns);
        };
      }
      if (minimum->count() + drop->count() == 0) options.min_accuracy = 0;
    }
    LoadOptions loading = load_options(vanilla, model);
    loading.unlabelled = loss == "distill";
    const Dataset data = data_flags.load("train", loading, progress);
    adopt(vanilla, data);
    const Roadmap roadmap = prune(vanilla, data, out, options, progress);
    const RoadmapEntry &first = roadmap.entries.front(), &last = roadmap.seed();
    tool.print(
        fmt::format("{}/roadmap.json: {} entries; the seed has {:.1f} % of the MACs and {:.2f} % "
                    "validation {}, the model {:.2f} %\n",
                    out, roadmap.entries.size(),
                    100.0 * static_cast<double>(last.macs) / static_cast<double>(first.macs),
                    100 * last.accuracy, roadmap.measure, 100 * first.accuracy),
        to_json(roadmap));
    return kDone;
  });
}
