// Runs a package: classifies images, evaluates a data set, or times it.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "common/tool.h"
#include "measure/layers.h"
#include "measure/measure.h"
#include "runtime/kernels.h"

#include "base/error.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/image.h"
#include "data/npy.h"

using namespace nestling;

namespace {

// How the package takes an image.
ImageInput input_of(const runtime::Model& model) {
  const runtime::PackageHeader& header = model.header();
  const std::vector<uint32_t> in = image_shape(model);
  return {.channels = in[1],
          .height = in[2],
          .width = in[3],
          .resize = header.resize,
          .mean = header.mean,
          .deviation = header.deviation};
}

// One image from a picture or a .npy file, as the package wants it.
std::vector<float> load_input(const runtime::Model& model, const std::string& file) {
  if (!file.ends_with(".npy")) return load_image(file, input_of(model));
  NpyArray array = parse_npy(read_file(file), file);
  const std::vector<uint32_t> in = model.input_shape();
  const std::vector<int64_t> expected(in.begin(), in.end());
  // A batch of one may be left out.
  if (array.shape.size() + 1 == expected.size()) array.shape.insert(array.shape.begin(), 1);
  if (array.shape != expected) fail("{} does not have the shape {}", file, fmt::join(in, "x"));
  return array.data;
}

// The outputs for one input.
std::vector<NpyArray> run_once(runtime::Model& model, const std::vector<float>& input) {
  if (model.header().inputs.size() != 1) fail("the package has several inputs");
  std::vector<NpyArray> outputs(model.header().outputs.size());
  std::vector<float*> to;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::vector<uint32_t> shape = model.output_shape(i);
    outputs[i].shape.assign(shape.begin(), shape.end());
    outputs[i].data.resize(model.output_floats(i));
    to.push_back(outputs[i].data.data());
  }
  const float* from = input.data();
  check(model.run(&from, to.data()));
  return outputs;
}

// The five best classes with their softmax probabilities.
Json best_classes(const runtime::Model& model, const std::vector<float>& output) {
  const runtime::PackageHeader& header = model.header();
  const bool normalised_already = !header.nodes.empty() && header.nodes.back().op == "softmax";
  const float highest = *std::max_element(output.begin(), output.end());
  double sum = 0;
  for (const float v : output) sum += std::exp(static_cast<double>(v) - highest);
  std::vector<size_t> order(output.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return output[a] > output[b]; });
  order.resize(std::min<size_t>(5, order.size()));
  Json best = Json::array();
  for (const size_t i : order) {
    const double p = normalised_already ? static_cast<double>(output[i])
                                        : std::exp(static_cast<double>(output[i]) - highest) / sum;
    best.push_back({{"index", i},
                    {"class", header.classes.empty() ? std::to_string(i) : header.classes[i]},
                    {"probability", p}});
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  Tool tool(
      "nestling-run",
      "Runs a .nest package on this device: classifies images, evaluates a data set, or times "
      "it.",
      "nestling-run model.nest --capacity 2 --input boot.png\n"
      "  nestling-run model.nest --capacity 2 --data fashion-mnist --bench");
  std::string package, input, output, trace;
  DataFlags data_flags;
  uint32_t capacity = 0;
  int runs = 50;
  bool bench = false, layers = false, unlabelled = false, partial = false;
  tool.common.threads = 1;
  tool.app.add_option("package", package, "Package")->required()->type_name("MODEL.nest");
  tool.app.add_option("--capacity", capacity, "Capacity, 1 is the smallest; 0 is the largest")
      ->check(CLI::Range(0, 64));
  tool.app.add_flag("--partial", partial,
                    "The package may still be arriving: capacities that are whole can be run");
  tool.app.add_option("--input", input,
                      "Image, or .npy of one normalised [channels, height, width]");
  tool.app.add_option("--output", output, "Write the outputs to this .npy file");
  data_flags.add_to(tool.app)->description("Evaluate the test split of this data set");
  tool.app.add_flag("--unlabelled", unlabelled,
                    "Of --data take the images without labels; accuracy is then the cosine of the "
                    "outputs and those of the largest capacity");
  tool.app.add_flag("--bench", bench, "Time single inferences and paging");
  tool.app.add_flag("--layers", layers, "Time every layer");
  tool.app.add_option("--trace", trace,
                      "Write when every layer ran, for chrome://tracing and Perfetto");
  tool.app.add_option("--runs", runs, "Inferences that --bench, --layers and --trace time")
      ->check(CLI::Range(1, 1000000));

  return tool.main(argc, argv, [&](Progress& progress) -> int {
    const bool by_layer = layers || !trace.empty();
    if (input.empty() && data_flags.name.empty() && !bench && !by_layer) {
      fmt::print(stderr, "nestling-run: give --input, --data, --bench, --layers or --trace\n");
      return kWrongUsage;
    }
    if (!output.empty()) check_writable(output);
    if (!trace.empty()) check_writable(trace);
    const int threads = tool.common.threads > 0
                            ? tool.common.threads
                            : static_cast<int>(std::thread::hardware_concurrency());
    runtime::Model model = open_package(package, threads, partial);
    if (capacity == 0) capacity = model.available();
    if (capacity == 0) fail("{}: not even its smallest capacity has arrived", package);
    check(model.set_capacity(capacity));
    const runtime::Footprint memory = model.footprint();
    Json json = {
        {"schema", "nestling/inference/1"},
        {"package", package},
        {"capacity", capacity},
        {"capacities", model.header().capacities()},
        {"backend", "cpu"},
        {"simd", runtime::simd_name()},
        {"threads", threads},
        {"memory",
         {{"weights_bytes", memory.weights_bytes}, {"activation_bytes", memory.activation_bytes}}}};
    std::string text;
    std::vector<NpyArray> outputs;
    if (!input.empty()) {
      const std::vector<float> given = load_input(model, input);
      outputs = run_once(model, given);
      const std::vector<uint32_t> shape = model.output_shape();
      if (shape.size() == 2) json["top"] = best_classes(model, outputs[0].data);
      for (const Json& best : json.value("top", Json::array())) {
        text += fmt::format("{:6.2f} %  {}\n", 100 * best["probability"].get<double>(),
                            best["class"].get<std::string>());
      }
      if (shape.size() != 2) text += fmt::format("an output of {}\n", fmt::join(shape, "x"));
    }
    if (!data_flags.name.empty()) {
      const ImageInput wanted = input_of(model);
      const Dataset data = data_flags.load("test",
                                           {.channels = wanted.channels,
                                            .height = wanted.height,
                                            .width = wanted.width,
                                            .resize = wanted.resize,
                                            .mean = wanted.mean,
                                            .deviation = wanted.deviation,
                                            .unlabelled = unlabelled},
                                           progress);
      std::vector<float> found = run_all(model, data, progress);
      double accuracy = 0;
      if (unlabelled) {
        check(model.set_capacity(model.header().capacities()));
        accuracy = cosine_of(found, run_all(model, data, progress), data.size());
        check(model.set_capacity(capacity));
      } else {
        accuracy = accuracy_of(found, data);
      }
      const auto width = static_cast<int64_t>(found.size()) / data.size();
      outputs = {{{data.size(), width}, std::move(found)}};
      json["measure"] = unlabelled ? "cosine" : "accuracy";
      json["data"] = {{"name", data.name}, {"split", data.split}, {"images", data.size()}};
      json["accuracy"] = accuracy;
      text += fmt::format("capacity {}: {:.2f} % of {} images\n", capacity, 100 * accuracy,
                          data.size());
    }
    if (bench) {
      const Latency latency = measure_latency(model, runs);
      const Paging paging = measure_paging(model, capacity, 11);
      json["latency_ms"] = {{"min", latency.min},
                            {"median", latency.median},
                            {"p90", latency.p90},
                            {"runs", latency.runs}};
      json["upgrade"] = {{"bytes", paging.bytes}, {"ms", paging.upgrade_ms}};
      json["downgrade"] = {{"bytes", paging.bytes}, {"ms", paging.downgrade_ms}};
      text += fmt::format(
          "capacity {}: median {:.3f} ms, 90 % within {:.3f} ms ({} runs, {}, {} threads); {} + {} "
          "bytes of weights and activations; page in {:.3f} ms, out {:.3f} ms\n",
          capacity, latency.median, latency.p90, latency.runs, runtime::simd_name(), threads,
          memory.weights_bytes, memory.activation_bytes, paging.upgrade_ms, paging.downgrade_ms);
    }
    if (by_layer) {
      const LayerTimes times = measure_layers(model, runs);
      if (layers) {
        json["layers"] = layers_json(times);
        text += layers_table(times);
      }
      if (!trace.empty()) write_json(trace, trace_json(times));
    }
    for (size_t i = 0; i < outputs.size() && !output.empty(); ++i) {
      // Of several outputs the second and later ones get a number.
      std::filesystem::path file = output;
      if (i > 0) file.replace_extension(fmt::format("{}.npy", i));
      write_file(file, npy_bytes(outputs[i]));
    }
    tool.print(text, json);
    return kDone;
  });
}
