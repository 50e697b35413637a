// Runs a package: classifies images, evaluates a data set, or times it.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "common/tool.h"
#include "measure/early_exit.h"
#include "measure/layers.h"
#include "measure/measure.h"
#include "measure/processor.h"
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

// Places for the outputs.
std::vector<NpyArray> outputs_of(const runtime::Model& model) {
  std::vector<NpyArray> outputs(model.header().outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::vector<uint32_t> shape = model.output_shape(i);
    outputs[i].shape.assign(shape.begin(), shape.end());
    outputs[i].data.resize(model.output_floats(i));
  }
  return outputs;
}

// The outputs for one input.
std::vector<NpyArray> run_once(runtime::Model& model, const std::vector<float>& input) {
  if (model.header().inputs.size() != 1) fail("the package has several inputs");
  std::vector<NpyArray> outputs = outputs_of(model);
  std::vector<float*> to;
  to.reserve(outputs.size());
  for (NpyArray& output : outputs) to.push_back(output.data.data());
  const float* from = input.data();
  check(model.run(&from, to.data()));
  return outputs;
}

// The five best classes with their softmax probabilities.
Json best_classes(const runtime::Model& model, const std::vector<float>& output) {
  const runtime::PackageHeader& header = model.header();
  const std::vector<double> p = probabilities(header, output);
  std::vector<size_t> order(output.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t x, size_t y) { return p[x] > p[y]; });
  order.resize(std::min<size_t>(5, order.size()));
  Json best = Json::array();
  for (const size_t i : order) {
    best.push_back({{"index", i},
                    {"class", header.classes.empty() ? std::to_string(i) : header.classes[i]},
                    {"probability", p[i]}});
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
  std::string package, input, output, trace, tuning;
  DataFlags data_flags;
  uint32_t capacity = 0;
  int runs = 50;
  ProcessorOptions processor_options;
  bool list_devices = false;
  bool bench = false, layers = false, unlabelled = false, partial = false, refine = false;
  std::vector<double> confidences{90};
  tool.common.threads = 1;
  auto* list_flag = tool.app.add_flag("--list-devices", list_devices,
                                      "Only say what GPUs there are: the numbers of --gpu");
  tool.app.add_option("package", package, "Package")->type_name("MODEL.nest")->excludes(list_flag);
  add_processor_flags(tool.app, processor_options.backend, processor_options.gpu,
                      processor_options.half_error);
  tool.app
      .add_option("--slice-ms", processor_options.slice_ms,
                  "Of a GPU: work that is submitted at once takes no longer; "
                  "0: an inference at once")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  tool.app.add_option("--gpu-cache", processor_options.cache,
                      "Of a GPU: keep compiled kernels in this file, for the next time");
  tool.app.add_option(
      "--tuning", tuning,
      "Of the CPU: keep how it computes the convolutions fastest in this file; what "
      "the file does not say yet is measured first");
  tool.app.add_option("--capacity", capacity, "Capacity, 1 is the smallest; 0 is the largest")
      ->check(CLI::Range(0, 64));
  tool.app.add_flag("--partial", partial,
                    "The package may still be arriving: capacities that are whole can be run");
  tool.app.add_option("--input", input,
                      "Image, or .npy of one normalised [channels, height, width]");
  tool.app.add_option(
      "--output", output,
      "Write the outputs to this .npy file; with --refine, the answers of the first "
      "--confidence");
  tool.app.add_flag("--refine", refine,
                    "Begin at capacity 1 and refine the answer, up to --capacity, until it is sure "
                    "enough; of --data or --input, for packages of causal growth");
  tool.app
      .add_option("--confidence", confidences,
                  "With --refine: the highest probability, in percent, at which an answer is sure "
                  "enough; with --data several, separated by commas")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::Range(0.0, 100.0));
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
    if (list_devices) {
      const Json devices = list_gpus();
      std::string lines;
      for (const Json& device : devices) {
        lines += fmt::format("{}  {} ({}), Vulkan {}, {} MB\n", device["number"].get<size_t>(),
                             device["name"].get<std::string>(), device["kind"].get<std::string>(),
                             device["vulkan"].get<std::string>(),
                             device["memory_bytes"].get<uint64_t>() >> 20);
      }
      tool.print(devices.empty() ? "there is no GPU\n" : lines, {{"devices", devices}});
      return kDone;
    }
    if (package.empty()) {
      fmt::print(stderr, "nestling-run: give a package, or --list-devices\n");
      return kWrongUsage;
    }
    const bool by_layer = layers || !trace.empty();
    if (input.empty() && data_flags.name.empty() && !bench && !by_layer) {
      fmt::print(stderr, "nestling-run: give --input, --data, --bench, --layers or --trace\n");
      return kWrongUsage;
    }
    if (refine && (bench || by_layer || unlabelled)) {
      fmt::print(stderr,
                 "nestling-run: --refine goes with --data or --input, and not with --bench, "
                 "--layers, --trace or --unlabelled\n");
      return kWrongUsage;
    }
    if (!output.empty()) check_writable(output);
    if (!trace.empty()) check_writable(trace);
    if (!tuning.empty()) check_writable(tuning);
    const int threads = tool.common.threads > 0
                            ? tool.common.threads
                            : static_cast<int>(std::thread::hardware_concurrency());
    Processor processor(processor_options);
    runtime::Model model = open_package(package, {.threads = threads,
                                                  .partial = partial,
                                                  .refinable = refine,
                                                  .accelerator = processor.accelerator(),
                                                  .tuning = tuning});
    if (refine && (model.header().outputs.size() != 1 || model.output_shape().size() != 2)) {
      fail("{} is not a classifier, so no answer of it is sure", package);
    }
    if (capacity == 0) capacity = model.available();
    if (capacity == 0) fail("{}: not even its smallest capacity has arrived", package);
    check(model.set_capacity(capacity));
    processor.keep_cache();
    const runtime::Footprint memory = model.footprint();
    Json json = {{"schema", "nestling/inference/1"},
                 {"package", package},
                 {"capacity", capacity},
                 {"capacities", model.header().capacities()},
                 {"weights", name_of(model.header().weights)},
                 {"backend", processor.backend()},
                 {"simd", runtime::simd_name()},
                 {"arithmetic", processor.arithmetic(model)},
                 {"threads", threads},
                 {"memory",
                  {{"weights_bytes", memory.weights_bytes},
                   {"activation_bytes", memory.activation_bytes},
                   {"values_bytes", memory.values_bytes},
                   {"values_bound_bytes", memory.values_bound}}}};
    std::string text;
    if (processor.accelerator() != nullptr) {
      json["gpu"] = processor.gpu();
      json["cpu_layers"] = cpu_layers_json(model);
      text = cpu_layers_text(model) + processor.half_failure();
    }
    std::vector<NpyArray> outputs;
    if (!input.empty()) {
      const std::vector<float> given = load_input(model, input);
      if (refine) {
        outputs = outputs_of(model);
        const uint32_t answered =
            answer_early(model, given.data(), confidences.front() / 100, outputs[0].data.data());
        json["answered"] = answered;
        text += fmt::format("answered by capacity {}\n", answered);
      } else {
        outputs = run_once(model, given);
      }
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
      json["data"] = {{"name", data.name}, {"split", data.split}, {"images", data.size()}};
      std::vector<float> found;
      if (refine) {
        std::vector<EarlyExit> exits;
        json["early_exit"] = Json::array();
        for (const double confidence : confidences) {
          exits.push_back(measure_early_exit(model, data, confidence / 100, progress));
          json["early_exit"].push_back(early_exit_json(exits.back()));
        }
        found = std::move(exits.front().outputs);
        text += early_exit_table(exits);
      } else {
        found = run_all(model, data, progress);
        double accuracy = 0;
        if (unlabelled) {
          check(model.set_capacity(model.header().capacities()));
          accuracy = cosine_of(found, run_all(model, data, progress), data.size());
          check(model.set_capacity(capacity));
        } else {
          accuracy = accuracy_of(found, data);
        }
        json["measure"] = unlabelled ? "cosine" : "accuracy";
        json["accuracy"] = accuracy;
        text += fmt::format("capacity {}: {:.2f} % of {} images\n", capacity, 100 * accuracy,
                            data.size());
      }
      const auto width = static_cast<int64_t>(found.size()) / data.size();
      outputs = {{{data.size(), width}, std::move(found)}};
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
          "bytes of weights and activations ({} between layers, of at least {}); page in {:.3f} "
          "ms, out {:.3f} ms\n",
          capacity, latency.median, latency.p90, latency.runs,
          processor.gpu().empty() ? runtime::simd_name() : processor.gpu(), threads,
          memory.weights_bytes, memory.activation_bytes, memory.values_bytes, memory.values_bound,
          paging.upgrade_ms, paging.downgrade_ms);
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
