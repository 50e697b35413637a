// Trains a network of the zoo, for users who bring no ONNX file of their own.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/tool.h"

#include "base/error.h"
#include "base/file.h"
#include "data/dataset.h"
#include "graph/classifier.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "graph/zoo.h"
#include "train/checkpoint.h"
#include "train/train.h"

using namespace nestling;

int main(int argc, char** argv) {
  wait_without_spinning(argv);
  Tool tool("nestling-train", "Trains a CNN on a data set and writes it as an ONNX file.",
            "nestling-train --arch small --data fashion-mnist --epochs 4 --out model.onnx");
  std::string arch = "small", data_name, out;
  std::vector<int64_t> input;
  ZooOptions zoo;
  TrainOptions options;
  tool.app.add_option("--arch", arch, "Architecture")->check(CLI::IsMember(zoo_names()));
  tool.app.add_option("--data", data_name, "Folder of a data set, or its name under data/");
  tool.app.add_option("--out", out, "ONNX file to write")->required();
  tool.app.add_option("--epochs", options.epochs, "Passes over the data; 0 writes it untrained")
      ->check(CLI::Range(0, 100000));
  tool.app.add_option("--width", zoo.multiplier, "Multiplies the filters of every layer")
      ->check(CLI::Range(0.01, 16.0));
  tool.app.add_option("--classes", zoo.classes, "Classes, where there is no --data")
      ->check(CLI::Range(2, 100000));
  tool.app.add_option("--input", input, "CxHxW of the input, where there is no --data")
      ->delimiter('x')
      ->type_name("CxHxW")
      ->expected(3)
      ->check(CLI::Range(1, 4096));
  tool.app.add_option("--batch", options.batch, "Images in a step")->check(CLI::Range(1, 65536));
  tool.app
      .add_option("--learning-rate", options.learning_rate, "Highest of the one-cycle schedule")
      ->check(CLI::PositiveNumber);

  bool force = false;
  tool.app.add_flag("--force", force,
                    "Start anew: discard what a stopped training left, saying what it was");

  return tool.main(argc, argv, [&](Progress& progress) -> int {
    if (options.epochs > 0 && data_name.empty()) {
      fmt::print(stderr, "nestling-train: --data is required, except with --epochs 0\n");
      return kWrongUsage;
    }
    check_writable(out);
    Tool::stop_between_steps();
    prepare_training(tool.common.threads);
    zoo.seed = options.seed = tool.common.seed;
    if (input.size() == 3) {
      zoo.channels = input[0];
      zoo.height = input[1];
      zoo.width = input[2];
    }
    Json json = {{"model", out}, {"accuracy", nullptr}};
    std::string score;
    Graph graph;
    if (data_name.empty()) {
      graph = make_model(arch, zoo);
    } else {
      const Dataset data = load_dataset(data_name, "train");
      zoo.classes = static_cast<int64_t>(data.classes.size());
      zoo.channels = data.channels;
      zoo.height = data.height;
      zoo.width = data.width;
      graph = make_model(arch, zoo);
      set_classifier_info(graph, {data.classes, {.mean = data.mean, .deviation = data.deviation}});
      // The validation split stays unseen, for whatever is chosen by accuracy later.
      const auto [training, validation] = split_validation(data);
      options.checkpoint = out + ".checkpoint";
      if (force && remove_checkpoint(options.checkpoint)) {
        progress.note("discarded " + options.checkpoint.string());
      }
      graph = train(graph, training, options, progress);
      const double test_accuracy = accuracy(graph, load_dataset(data_name, "test"));
      json["accuracy"] = test_accuracy;
      score = fmt::format("test accuracy {:.2f} %, ", 100 * test_accuracy);
    }
    write_file(out, export_onnx(graph));
    remove_checkpoint(options.checkpoint);
    json["parameters"] = count_parameters(graph);
    json["macs"] = count_macs(graph);
    tool.print(fmt::format("{}: {}{} parameters, {} MACs\n", out, score, count_parameters(graph),
                           count_macs(graph)),
               json);
    return kDone;
  });
}
