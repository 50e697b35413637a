// The capacity profile: what every capacity of a package is worth and costs on one device
// (schemas/profile.schema.json).
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "base/progress.h"
#include "profile/run_tool.h"

namespace nestling {

struct ProfileOptions {
  std::string data;         // data set whose test split gives the accuracy
  bool unlabelled = false;  // of it take the images only; see nestling-run --unlabelled
  int64_t max_bad = 0;      // images of it that cannot be read and may be skipped
  RunTool run_tool;
  std::optional<std::string> vanilla;  // ONNX file of the vanilla model, measured in the same way
  std::string device = "this machine";
  int runs = 50;        // inferences timed a capacity
  bool refine = false;  // of a causal package: what answering early is worth, see early_exit.h
};

// Measures every capacity of the package with the run tool, one process each. Throws Error if it
// fails.
Json make_profile(const std::string& package, const ProfileOptions& options, Progress& progress);

// A table for people.
std::string profile_table(const Json& profile);

// What a user demands of a package.
struct Gates {
  std::optional<double> min_accuracy;    // of every capacity, from 0 to 1
  std::optional<double> max_latency_ms;  // median of every capacity
  std::optional<uint64_t> max_bytes;     // of the package
};

// One sentence for every gate that is not met; empty if all are.
std::string check_gates(const Json& profile, const Gates& gates);

}  // namespace nestling
