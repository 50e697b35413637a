// Trains a network of the zoo, for users who bring no ONNX file of their own.
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "common/image_flags.h"
#include "common/recipe.h"
#include "common/tool.h"
#include "common/workers.h"

#include "base/error.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/descriptor.h"
#include "graph/cost.h"
#include "graph/initialise.h"
#include "graph/onnx.h"
#include "graph/zoo.h"
#include "train/checkpoint.h"
#include "train/evaluate.h"
#include "train/fit.h"
#include "train/train.h"

using namespace nestling;

namespace {

// What the flags ask of the data.
LoadOptions input_options(const ImageFlags& images) {
  LoadOptions options{.mean = images.mean, .deviation = images.deviation};
  if (images.size.empty()) return options;
  options.channels = images.size[0];
  options.height = images.size[1];
  options.width = images.size[2];
  return options;
}

// Says what the data set is: format, images, classes.
int list_data(const Tool& tool, const DataFlags& flags, const ImageFlags& images,
              Progress& progress) {
  const DataDescriptor descriptor = describe_data(flags.name);
  Json splits = Json::object();
  std::string text;
  LoadOptions options = input_options(images);
  for (const char* name : {"train", "test"}) {
    if (!descriptor.splits.contains(name)) continue;
    const Dataset data = flags.load(name, options, progress);
    options = {data.channels, data.height, data.width, data.resize, data.mean, data.deviation};
    std::vector<int64_t> counts(data.classes.size());
    for (const int32_t label : data.labels) ++counts[static_cast<size_t>(label)];
    Json classes = Json::object();
    std::string lines;
    for (size_t c = 0; c < counts.size(); ++c) {
      classes[data.classes[c]] = counts[c];
      lines += fmt::format("  {:<24} {}\n", data.classes[c], counts[c]);
    }
    splits[name] = {{"images", data.size()},
                    {"skipped", data.skipped.size()},
                    {"image", {data.channels, data.height, data.width}},
                    {"mean", data.mean},
                    {"deviation", data.deviation},
                    {"classes", classes}};
    text += fmt::format("{}: {} images of {}x{}x{}, mean {:.4f}, deviation {:.4f}\n{}", name,
                        data.size(), data.channels, data.height, data.width,
                        fmt::join(data.mean, " "), fmt::join(data.deviation, " "), lines);
  }
  tool.print(fmt::format("{}: format {}\n{}", descriptor.name, descriptor.format, text),
             {{"name", descriptor.name}, {"format", descriptor.format}, {"splits", splits}});
  return kDone;
}

// What each costs at the size that it was published for.
int list_architectures(const Tool& tool, double multiplier) {
  std::string text = fmt::format("{:<19} {:>11} {:>7} {:>12} {:>15}\n", "architecture", "input",
                                 "classes", "parameters", "MACs");
  Json json = {{"architectures", Json::array()}};
  for (const Architecture& one : architectures()) {
    const Graph graph = make_model(one.name, {.classes = one.classes,
                                              .height = one.extent,
                                              .width = one.extent,
                                              .multiplier = multiplier,
                                              .outline = true});
    const std::string input = fmt::format("3x{0}x{0}", one.extent);
    text += fmt::format("{:<19} {:>11} {:>7} {:>12} {:>15}  {}\n", one.name, input, one.classes,
                        count_parameters(graph), count_macs(graph), one.description);
    json["architectures"].push_back({{"name", one.name},
                                     {"input", input},
                                     {"classes", one.classes},
                                     {"parameters", count_parameters(graph)},
                                     {"macs", count_macs(graph)},
                                     {"description", one.description}});
  }
  tool.print(text, json);
  return kDone;
}

}  // namespace

int main(int argc, char** argv) {
  wait_without_spinning(argv);
  Tool tool("nestling-train", "Trains a CNN on a data set and writes it as an ONNX file.",
            "nestling-train --arch small --data fashion-mnist --epochs 4 --out model.onnx");
  std::string arch = "small", from, teacher, out;
  DataFlags data_flags;
  Workers workers;
  bool list = false;
  ImageFlags images;
  ZooOptions zoo;
  TrainOptions options;
  tool.app.add_option("--arch", arch, "Architecture")->check(CLI::IsMember(zoo_names()));
  auto* from_scratch = tool.app.get_option("--arch");
  tool.app.add_option("--from", from, "Go on training this model instead")
      ->type_name("MODEL.onnx")
      ->excludes(from_scratch);
  bool fresh = false;
  tool.app.add_flag("--fresh", fresh, "Of --from, take the layers and draw new weights")
      ->needs("--from");
  tool.app
      .add_option("--teacher", teacher,
                  "Trained model of the same classes, whose outputs are learnt from too")
      ->type_name("MODEL.onnx");
  add_distill_flag(tool.app, options, "the teacher's outputs");
  bool list_zoo = false;
  tool.app.add_flag("--list", list_zoo, "Only say what architectures there are");
  data_flags.add_to(tool.app);
  tool.app.add_flag("--list-data", list, "Only say what --data is");
  tool.app.add_option("--out", out, "ONNX file to write");
  workers.add_to(tool.app);
  add_training_flags(tool.app, options, "Passes over the data; 0 writes it untrained");
  tool.app.add_option("--width", zoo.multiplier, "Multiplies the filters of every layer")
      ->check(CLI::Range(0.01, 16.0));
  tool.app.add_option("--classes", zoo.classes, "Classes, where there is no --data")
      ->check(CLI::Range(2, 100000));
  images.add_to(tool.app, "Size of the input; images are scaled to it");
  bool force = false;
  tool.app.add_flag("--force", force,
                    "Start anew: discard what a stopped training left, saying what it was");

  return tool.main(argc, argv, [&](Progress& progress) -> int {
    if (list_zoo) return list_architectures(tool, zoo.multiplier);
    if (list && !data_flags.name.empty()) return list_data(tool, data_flags, images, progress);
    if (out.empty() || list || (options.epochs > 0 && data_flags.name.empty())) {
      fmt::print(stderr, "nestling-train: {} is required{}\n",
                 out.empty() && !list ? "--out" : "--data",
                 list || out.empty() ? "" : ", except with --epochs 0");
      return kWrongUsage;
    }
    check_writable(out);
    Tool::stop_between_steps();
    const auto crew = workers.gather(argv, tool.common.threads, serve_trainings);
    if (!crew) return kDone;
    zoo.seed = options.seed = tool.common.seed;
    if (!images.size.empty()) {
      zoo.channels = images.size[0];
      zoo.height = images.size[1];
      zoo.width = images.size[2];
    }
    Json json = {{"model", out}, {"accuracy", nullptr}};
    std::string score;
    Graph graph;
    if (!from.empty()) graph = images.load(from);
    if (fresh) graph = initialised(std::move(graph), zoo.seed);
    if (data_flags.name.empty()) {
      if (from.empty()) {
        graph = make_model(arch, zoo);
        images.describe(graph);
      }
    } else {
      const LoadOptions wanted = from.empty() ? input_options(images) : load_options(graph, from);
      const Dataset data = data_flags.load("train", wanted, progress);
      images.check_channels(data.channels);
      if (from.empty()) {
        zoo.classes = static_cast<int64_t>(data.classes.size());
        zoo.channels = data.channels;
        zoo.height = data.height;
        zoo.width = data.width;
        graph = make_model(arch, zoo);
      }
      adopt(graph, data);
      // The validation split stays unseen, for whatever is chosen by accuracy later.
      const auto [training, validation] = split_validation(data);
      options.checkpoint = out + ".checkpoint";
      if (force && remove_checkpoint(options.checkpoint)) {
        progress.note("discarded " + options.checkpoint.string());
      }
      if (!teacher.empty())
        options.teacher_logits = ask_teacher(images.load(teacher), training, options);
      graph = train(graph, training, options, progress);
      const Dataset test = data_flags.load("test", load_options(graph, out), progress);
      const double test_accuracy = accuracy(graph, test);
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
