// The decision of NestDNN's online half (Fang, Zeng, Zhang, MobiCom 2018, section 3.5): which
// capacity and which share of the processor each of several applications gets.
//
// Nothing here runs a network or looks at a clock: a decision is a function of its arguments. No
// function throws; all are safe to call from several threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/export.h"
#include "runtime/status.h"

namespace nestling::runtime {

// What a capacity is worth and costs, from a profile.
struct CapacityCost {
  double accuracy = 0;        // from 0 to 1
  double latency_s = 0;       // of one inference with the whole processor, seconds
  uint64_t memory_bytes = 0;  // weights and activations
  double page_in_s = 0;       // to come here from the capacity below, seconds
};

// Where an application's network runs: its profile is of that processor, and its share is a share
// of it. All share the memory.
enum class Processor { cpu, accelerator };

struct Application {
  std::string name;
  std::vector<CapacityCost> capacities;  // the smallest first; at least one
  double min_accuracy = 0;               // A_min, from 0 to 1
  double max_latency_s = 1;              // L_max, of one inference at its share
  double alpha = 1;       // of a second above L_max, against an accuracy of 1 (100 %)
  double frame_rate = 0;  // wanted inferences a second; 0: none in particular
  double priority = 1;    // its cost counts so often
  Processor processor = Processor::cpu;

  // L_max, or less if the frame rate asks for it.
  double latency_bound() const {
    return frame_rate > 0 && 1 / frame_rate < max_latency_s ? 1 / frame_rate : max_latency_s;
  }
};

struct Device {
  uint64_t memory_bytes = 0;  // for all applications
  double processor = 1;       // what of the CPU they may use, from 0 to 1
  double accelerator = 1;     // and of the accelerator

  double part_of(Processor which) const {
    return which == Processor::cpu ? processor : accelerator;
  }
};

struct Problem {
  Device device;
  std::vector<Application> applications;
};

enum class Policy {
  min_total_cost,  // the smallest sum of costs
  min_max_cost,    // the smallest highest cost
  fixed,           // the resource-agnostic baseline: every application the same capacity whatever
                   // happens (Options::fixed_capacity) and an equal share; not served if that
                   // capacity does not fit the memory beside the others'
};

enum class Method {
  greedy,  // the paper's: shares in small steps
  exact,   // to Options::tolerance
};

struct Assignment {
  int capacity = 0;  // from 1; 0: not served, because its smallest capacity does not fit the
                     // memory beside those of others that have a higher priority, or ask for less
  double share = 0;  // of its processor
  double cost = 0;   // priority (A_min - A + alpha max(0, L / share - L_max)); 0 if not served
};

struct Decision {
  std::vector<Assignment> assignments;  // by application
  double cost = 0;                      // by the policy, over those that are served
  // Of the exact method: no decision costs less than this. The difference is above the tolerance
  // only if the search was given up after Options::max_nodes.
  double bound = 0;
  uint64_t memory_bytes = 0;
  bool kept = false;  // hysteresis kept the capacities of before
};

struct Options {
  Policy policy = Policy::min_total_cost;
  Method method = Method::exact;
  int fixed_capacity = 64;   // of fixed, from 1; of an application with fewer its largest
  double share_step = 0.01;  // of greedy
  double tolerance = 1e-4;   // of exact, in cost
  int max_nodes = 20000;     // of its search
  // A change of capacities must lower the cost by more than `margin` and what its page-ins cost.
  double margin = 0.005;
  double page_in_weight = 0.1;  // cost of a second of paging in
};

// A_min - A + alpha max(0, L / share - L_max), times the priority.
NESTLING_API double cost_of(const Application& application, const CapacityCost& capacity,
                            double share);

// What is wrong with a problem: numbers out of their ranges or not finite, an application without
// capacities, options that make no sense.
NESTLING_API Status check_problem(const Problem& problem, const Options& options);

// Decides anew, or keeps the capacities that `before` gives the applications (0 for one that is
// new), with the best shares for them, as hysteresis says. Never costs more than keeping them, if
// they still fit. The problem must have passed check_problem.
NESTLING_API Decision decide(const Problem& problem, const Options& options,
                             const std::vector<int>& before = {});

}  // namespace nestling::runtime
