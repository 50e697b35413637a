// Measures every capacity of a package.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/tool.h"

#include "base/error.h"
#include "base/file.h"
#include "profile/profile.h"

using namespace nestling;

int main(int argc, char** argv) {
  Tool tool("nestling-profile",
            "Measures accuracy, memory, latency and paging of every capacity with the runtime that "
            "ships.",
            "nestling-profile model.nest --data fashion-mnist --out profile.json\n"
            "  nestling-profile model.nest --data fashion-mnist --out pi.json --runner 'ssh pi'\n"
            "    --run-tool /opt/nestling/nestling-run --device 'Raspberry Pi 5'");
  std::string package, out, vanilla;
  DataFlags data_flags;
  ProfileOptions options;
  options.run_tool.path = run_tool_beside();
  double min_accuracy = 0, max_latency = 0;
  uint64_t max_bytes = 0;
  tool.common.threads = 1;
  tool.app.add_option("package", package, "Package")->required()->type_name("MODEL.nest");
  data_flags.add_to(tool.app)->required();
  tool.app.add_flag("--unlabelled", options.unlabelled,
                    "Of --data take the images without labels; accuracy is then the cosine of the "
                    "outputs and those of the largest capacity");
  tool.app.add_flag("--refine", options.refine,
                    "Measure too what answering early is worth: an answer is refined from capacity "
                    "1 on until it is sure enough; for packages of causal growth");
  tool.app.add_option("--out", out, "Profile to write")->required()->type_name("FILE.json");
  tool.app.add_option("--vanilla", vanilla, "Measure this ONNX file too, for comparison");
  tool.app.add_option("--runner", options.run_tool.runner,
                      "Command that starts the run tool elsewhere, such as 'adb shell'");
  tool.app.add_option("--run-tool", options.run_tool.path, "The nestling-run that measures")
      ->capture_default_str();
  tool.app.add_option("--device", options.device, "Name of the device");
  add_processor_flags(tool.app, options.run_tool.backend, options.run_tool.gpu,
                      options.run_tool.half_error);
  tool.app.add_option("--tuning", options.run_tool.tuning,
                      "Of the CPU: a file, where the run tool runs, that keeps how it computes the "
                      "convolutions fastest; it is measured first");
  tool.app.add_option("--runs", options.runs, "Inferences timed for each capacity")
      ->check(CLI::Range(1, 1000000));
  auto* accuracy_gate =
      tool.app.add_option("--min-accuracy", min_accuracy, "Gate: of every capacity, in percent")
          ->check(CLI::Range(0.0, 100.0));
  auto* latency_gate =
      tool.app.add_option("--max-latency-ms", max_latency, "Gate: median of every capacity")
          ->check(CLI::PositiveNumber);
  auto* bytes_gate = tool.app.add_option("--max-bytes", max_bytes, "Gate: of the package");

  return tool.main(argc, argv, [&](Progress& progress) -> int {
    if (options.refine && options.unlabelled) {
      fmt::print(stderr, "nestling-profile: --refine needs labels\n");
      return kWrongUsage;
    }
    check_writable(out);
    options.data = data_flags.name;
    options.max_bad = data_flags.max_bad;
    options.run_tool.threads = tool.common.threads;
    if (!vanilla.empty()) options.vanilla = vanilla;
    const Json profile = make_profile(package, options, progress);
    write_json(out, profile);
    tool.print(profile_table(profile), profile);
    Gates gates;
    if (accuracy_gate->count() > 0) gates.min_accuracy = min_accuracy / 100;
    if (latency_gate->count() > 0) gates.max_latency_ms = max_latency;
    if (bytes_gate->count() > 0) gates.max_bytes = max_bytes;
    const std::string problems = check_gates(profile, gates);
    fmt::print(stderr, "{}", problems);
    return problems.empty() ? kDone : kGateNotMet;
  });
}
