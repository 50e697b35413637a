// Workloads that are drawn at random, from a seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulate/workload.h"

namespace nestling {

struct GenerateOptions {
  // "random": applications start, stop, change their goals, and the memory and the processor
  // change,
  //           at random times
  // "bursts": quiet times with two applications, and bursts, as long in the mean, in which all run
  //           and other processes take half to three quarters of the processor
  // "six":    as many as six run at once and never fewer than two, one starting or stopping at a
  //           time, as in NestDNN's evaluation; memory and processor stay
  std::string kind = "random";
  std::vector<std::string> profiles;  // one application each
  int applications = 6;               // profiles are used again in turn
  double duration_s = 600;
  double event_s = 10;  // mean time between events
  double memory = 0.5;  // the budget, as a part of what all largest capacities take
  // Frame rates at which all applications at once, at their largest capacities, would ask for so
  // much of the processor: 2 is twice what there is. 0: no frame rates, as fast as they come.
  double load = 0;
  uint64_t seed = 1;
};

// Throws Error for an unknown kind, or profiles that cannot be read.
Workload generate_workload(const GenerateOptions& options);
std::vector<std::string> workload_kinds();

}  // namespace nestling
