#include "profile/run_tool.h"

#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json_fields.h"
#include "package/package.h"

namespace nestling {
namespace {

// The standard output of a command. Throws Error if it prints too much.
std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), &::pclose);
  if (!pipe) fail("cannot start {}", command);
  std::string text;
  char buffer[4096];
  constexpr size_t kMax = 1U << 20;
  while (const size_t count = std::fread(buffer, 1, sizeof buffer, pipe.get())) {
    text.append(buffer, count);
    if (text.size() > kMax) fail("{} prints too much", command);
  }
  return text;
}

}  // namespace

std::string quoted(const std::string& word) {
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string run_tool_beside() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "nestling-run").string();
}

Json ask(const RunTool& tool, const std::string& package, uint32_t capacity,
         const std::string& flags) {
  // A tool that was built without GPUs need not know of them.
  const std::string backend = tool.backend == "cpu"
                                  ? ""
                                  : fmt::format("--backend {} --gpu {} --gpu-fp16 {} ",
                                                tool.backend, tool.gpu, tool.half_error);
  const std::string tuning =
      tool.tuning.empty() ? "" : fmt::format("--tuning {} ", quoted(tool.tuning));
  const std::string command = fmt::format(
      "{} {} {} --capacity {} {} {}{}--threads {} --json --quiet", tool.runner, quoted(tool.path),
      quoted(package), capacity, flags, backend, tuning, tool.threads);
  const std::string text = output_of(command);
  if (text.empty()) fail("the run tool failed: {}", command);
  Json json = parse_json(text, "the output of " + command);
  check_schema(json, "nestling/inference/1", "the output of " + command);
  return json;
}

TemporaryPackage::TemporaryPackage(std::filesystem::path file, const Graph& graph)
    : path_(std::move(file)) {
  write_file(path_, make_package(graph, graph.name));
}

TemporaryPackage::~TemporaryPackage() {
  std::error_code error;
  std::filesystem::remove(path_, error);
}

double latency_ms(const RunTool& tool, const Graph& graph, const std::filesystem::path& file,
                  int runs) {
  const TemporaryPackage package(file, graph);
  const Json answer = ask(tool, package.path().string(), 1, fmt::format("--bench --runs {}", runs));
  return field<double>(field<Json>(answer, "latency_ms", "the run tool's output"), "median",
                       "the run tool's output");
}

}  // namespace nestling
