#include "profile/profile.h"

#include <filesystem>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "measure/early_exit.h"
#include "measure/measure.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json_fields.h"
#include "graph/onnx.h"

namespace nestling {
namespace {

// What the run tool says of the package at a capacity over the data set.
Json run(const std::string& package, uint32_t capacity, const ProfileOptions& options,
         const std::string& flags) {
  return ask(
      options.run_tool, package, capacity,
      fmt::format("--data {} --max-bad {} {}", quoted(options.data), options.max_bad, flags));
}

Json run(const std::string& package, uint32_t capacity, const ProfileOptions& options) {
  return run(
      package, capacity, options,
      fmt::format("{}--bench --runs {}", options.unlabelled ? "--unlabelled " : "", options.runs));
}

Json measure_vanilla(const std::string& package, const ProfileOptions& options) {
  const TemporaryPackage vanilla(package + ".vanilla", load_onnx(*options.vanilla));
  const std::string file = vanilla.path().string();
  const Json result = run(file, 1, options);
  const runtime::Model model = open_package(file);
  const runtime::SegmentSpec& all = model.header().segments[0];
  return {{"accuracy", result.at("accuracy")},
          {"parameters", all.parameters},
          {"macs", all.macs},
          {"bytes", std::filesystem::file_size(file)},
          {"latency_ms", result.at("latency_ms")}};
}

}  // namespace

Json make_profile(const std::string& package, const ProfileOptions& options, Progress& progress) {
  const std::string bytes = read_file(package);
  const runtime::Model model = open_package(package);
  const runtime::PackageHeader& header = model.header();
  Json capacities = Json::array();
  Json last;
  progress.begin("profiling", header.capacities());
  for (uint32_t k = 1; k <= header.capacities(); ++k) {
    last = run(package, k, options);
    const runtime::SegmentSpec& segment = header.segments[k - 1];
    capacities.push_back({{"capacity", k},
                          {"accuracy", field<double>(last, "accuracy", "the run tool's output")},
                          {"parameters", segment.parameters},
                          {"macs", segment.macs},
                          {"memory", last.at("memory")},
                          {"latency_ms", last.at("latency_ms")},
                          {"upgrade", last.at("upgrade")},
                          {"downgrade", last.at("downgrade")},
                          {"energy_mj", nullptr}});
    progress.update(k, "");
  }
  Json early_exit;
  if (options.refine) {
    early_exit =
        run(package, header.capacities(), options, "--refine --confidence 50,60,70,80,90,95,99")
            .at("early_exit");
  }
  Json device = {{"name", options.device},
                 {"backend", last.at("backend")},
                 {"simd", last.at("simd")},
                 {"arithmetic", last.at("arithmetic")},
                 {"threads", last.at("threads")}};
  for (const char* of_gpu : {"gpu", "cpu_layers"}) {
    if (last.contains(of_gpu)) device[of_gpu] = last[of_gpu];
  }
  return {{"schema", "nestling/profile/1"},
          {"package",
           {{"file", std::filesystem::path(package).filename().string()},
            {"sha256", sha256(bytes)},
            {"bytes", bytes.size()},
            {"weights", last.at("weights")}}},
          {"device", device},
          {"data", last.at("data")},
          {"measure", last.at("measure")},
          {"vanilla", options.vanilla ? measure_vanilla(package, options) : Json()},
          {"capacities", capacities},
          {"early_exit", early_exit},
          {"accumulated_bytes",
           header.independent_bytes > 0 ? header.independent_bytes : bytes.size()}};
}

std::string profile_table(const Json& profile) {
  const Json& capacities = profile.at("capacities");
  const Json& vanilla = profile.at("vanilla");
  const double most = (vanilla.is_null() ? capacities.back() : vanilla).at("macs").get<double>();
  std::string text =
      "capacity  accuracy       MACs  of vanilla  parameters  memory KB  median ms  upgrade ms\n";
  const auto row = [&](const std::string& name, const Json& c, const std::string& memory,
                       const std::string& upgrade) {
    const auto macs = c.at("macs").get<double>();
    text += fmt::format("{:>8}  {:6.2f} %  {:7.2f} M  {:8.1f} %  {:>10}  {:>9}  {:9.3f}  {:>10}\n",
                        name, 100 * c.at("accuracy").get<double>(), macs / 1e6, 100 * macs / most,
                        c.at("parameters").get<int64_t>(), memory,
                        c.at("latency_ms").at("median").get<double>(), upgrade);
  };
  for (const Json& c : capacities) {
    const Json& memory = c.at("memory");
    const int64_t kilobytes = (memory.at("weights_bytes").get<int64_t>() +
                               memory.at("activation_bytes").get<int64_t>() + 1023) /
                              1024;
    row(std::to_string(c.at("capacity").get<int>()), c, std::to_string(kilobytes),
        fmt::format("{:.3f}", c.at("upgrade").at("ms").get<double>()));
  }
  if (!vanilla.is_null()) row("vanilla", vanilla, "", "");
  std::vector<EarlyExit> exits;
  for (const Json& exit : profile.at("early_exit")) exits.push_back(early_exit_of(exit));
  if (!exits.empty()) text += early_exit_table(exits);
  const auto bytes = profile.at("package").at("bytes").get<double>();
  text += fmt::format("package {:.0f} bytes, {:.2f} of the {} that independent packages take\n",
                      bytes, bytes / profile.at("accumulated_bytes").get<double>(),
                      profile.at("accumulated_bytes").get<int64_t>());
  return text;
}

std::string check_gates(const Json& profile, const Gates& gates) {
  std::string problems;
  for (const Json& c : profile.at("capacities")) {
    const auto accuracy = c.at("accuracy").get<double>();
    const auto median = c.at("latency_ms").at("median").get<double>();
    if (gates.min_accuracy && accuracy < *gates.min_accuracy) {
      problems +=
          fmt::format("capacity {} has an accuracy of {:.2f} %, below {:.2f} %\n",
                      c.at("capacity").get<int>(), 100 * accuracy, 100 * *gates.min_accuracy);
    }
    if (gates.max_latency_ms && median > *gates.max_latency_ms) {
      problems += fmt::format("capacity {} takes {:.3f} ms, more than {:.3f}\n",
                              c.at("capacity").get<int>(), median, *gates.max_latency_ms);
    }
  }
  const auto bytes = profile.at("package").at("bytes").get<uint64_t>();
  if (gates.max_bytes && bytes > *gates.max_bytes) {
    problems += fmt::format("the package has {} bytes, more than {}\n", bytes, *gates.max_bytes);
  }
  return problems;
}

}  // namespace nestling
