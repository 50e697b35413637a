// Plays a workload with the real packages on this machine: what simulate() says of it, measured.
#pragma once

#include <cstdint>

#include "runtime/backend.h"
#include "simulate/simulation.h"
#include "simulate/workload.h"

#include "base/progress.h"

namespace nestling {

struct LiveOptions {
  runtime::Options decision;
  int threads = 1;
  runtime::Accelerator* accelerator = nullptr;  // that some applications run on
  std::string tuning = {};                      // a file (HostOptions)
  // Decisions follow measured latencies and the system's memory (HostOptions); then they are not
  // compared.
  bool feedback = false;
};

struct Live {
  Simulation measured;       // moments as the host decided, page_in_s without
  Simulation simulated;      // the same workload
  int compared = 0;          // decisions that the simulation makes, too
  int same = 0;              // of those, with the same capacities for all
  double over_budget_s = 0;  // memory was above the budget for so long, in all
  double longest_over_budget_s = 0;
  uint64_t most_resident_bytes = 0;  // of the process, above what it was before the first event
  uint64_t dropped = 0, refused = 0, failed = 0;  // frames, of all applications (ApplicationReport)
};

// Takes duration_s of real time. An application that names a frame rate is sent frames at that
// rate; another always has two on their way. A frame of the latter counts as late by the time since
// the one before. Throws Error if a package cannot be opened or does not fit its profile.
Live play_live(const Workload& workload, const LiveOptions& options, Progress& progress);

// A line an application: frames a second, accuracy and shares, live and simulated.
std::string live_table(const Workload& workload, const Live& live);
// As of a simulation, and what was compared.
Json to_json(const Workload& workload, const Live& live, const std::string& policy);

}  // namespace nestling
