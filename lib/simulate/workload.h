// What happens to the applications of a device over time (schemas/workload.schema.json).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/schedule.h"

#include "base/json.h"

namespace nestling {

// An application and what its profile says that the scheduler does not ask for, by capacity.
struct WorkloadApplication {
  runtime::Application goals;
  std::string profile;                  // file, relative to the workload's folder
  std::filesystem::path package;        // that the profile is of: the file of its name beside it
  std::vector<uint64_t> page_in_bytes;  // from the capacity below
  std::vector<std::optional<double>>
      energy;  // of one inference, millijoules; where it was measured
};

// At `at_s` seconds from the beginning, one of these.
struct Event {
  double at_s = 0;
  enum class Kind { start, stop, goals, memory, processor, accelerator } kind = Kind::start;
  size_t application = 0;     // of start, stop and goals
  double min_accuracy = 0;    // of goals
  double max_latency_s = 0;   // of goals
  uint64_t memory_bytes = 0;  // of memory: the new budget
  double processor = 1;       // of processor and accelerator: what others leave of it
};

struct Workload {
  double duration_s = 0;
  runtime::Device device;
  std::vector<WorkloadApplication> applications;
  std::vector<Event> events;  // in the order of time
};

// Reads a workload and the profiles that it names. Throws Error saying which field of which file
// makes no sense.
Workload read_workload(const std::filesystem::path& path);

// Whether an application runs on the accelerator.
bool needs_accelerator(const Workload& workload);

// Reads the capacities of a profile (schemas/profile.schema.json) into an application, which runs
// on the processor that the profile is of.
void read_profile(const std::filesystem::path& path, WorkloadApplication& application);

// Without the profiles, which it names.
Json to_json(const Workload& workload);

}  // namespace nestling
