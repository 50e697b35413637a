// nestling-run as what measures: here, or on the device that a command reaches.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/json.h"
#include "graph/graph.h"

namespace nestling {

// Packages, data sets and the tool must be found at the same paths where the runner's command runs.
struct RunTool {
  std::string path;         // of nestling-run
  std::string runner = {};  // a command that goes before it: "ssh pi", "qemu-aarch64"; or ""
  int threads = 1;
  std::string backend = "cpu";  // as its --backend, and of GPUs the number
  size_t gpu = 0;
  double half_error = 0;
  std::string tuning = {};  // a file, as its --tuning; or ""
};

// The nestling-run beside the program that runs.
std::string run_tool_beside();

// What the tool says of the package at a capacity, with flags that say what to measure. Throws
// Error if it fails.
Json ask(const RunTool& tool, const std::string& package, uint32_t capacity,
         const std::string& flags);

// For a shell.
std::string quoted(const std::string& word);

// A network packed under a name of its own, deleted again.
class TemporaryPackage {
 public:
  TemporaryPackage(std::filesystem::path file, const Graph& graph);
  ~TemporaryPackage();
  TemporaryPackage(const TemporaryPackage&) = delete;
  TemporaryPackage& operator=(const TemporaryPackage&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Of one inference of a plain network, the median of `runs`; `file` holds it meanwhile.
double latency_ms(const RunTool& tool, const Graph& graph, const std::filesystem::path& file,
                  int runs);

}  // namespace nestling
