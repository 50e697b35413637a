// Plays a workload against the scheduler and counts what each application gets. Time passes only in
// the numbers: a simulation of hours takes milliseconds, and the same arguments give the same
// result.
#pragma once

#include <string>
#include <vector>

#include "simulate/workload.h"

#include "base/json.h"

namespace nestling {

// What an application got, from its starts to its stops.
struct Service {
  double running_s = 0;  // it was started
  double served_s = 0;   // of that, with a capacity
  double frames = 0;     // inferences that were run: at the rate that it wants or its share
                         // allows, whichever is less
  double missed = 0;     // of those, later than the latency that it wants
  double wanted = 0;     // frames that it wanted; those run, if it names no rate
  double accuracy = 0;   // mean over the time it was served
  int switches = 0;      // changes of capacity while it ran
  uint64_t page_in_bytes = 0;
  double page_in_s = 0;
  double memory_bytes = 0;  // mean while it was served
  double energy_mj = 0;     // frames times the profile's energy, where it has one

  // Of accuracy and memory, sums over the time it was served become means.
  void average() {
    if (served_s <= 0) return;
    accuracy /= served_s;
    memory_bytes /= served_s;
  }
  double late_percent() const { return frames > 0 ? 100 * missed / frames : 0; }
  double rate() const { return running_s > 0 ? frames / running_s : 0; }  // frames a second
};

// From `at_s` until the next moment.
struct Moment {
  double at_s = 0;
  std::string event;         // for people
  runtime::Problem problem;  // the applications that run
  std::vector<size_t> who;   // their numbers in the workload
  runtime::Decision decision;
};

struct Simulation {
  std::vector<Service> services;  // by application of the workload
  std::vector<Moment> moments;    // one an event
  double mean_memory_bytes = 0;
  uint64_t most_memory_bytes = 0;

  // What was summed up over `duration_s` becomes means.
  void average(double duration_s) {
    for (Service& service : services) service.average();
    mean_memory_bytes /= duration_s;
  }
};

// While a larger capacity is paged in the smaller one goes on serving; what is new is served once
// it is paged in.
Simulation simulate(const Workload& workload, const runtime::Options& options);

// Of all applications together: sums, and of accuracy and memory means over the time served.
Service total_of(const Simulation& simulation);

// Of a table's first column: the longest name, or its heading.
size_t name_width(const Workload& workload);
// A line an application, and one for all.
std::string simulation_table(const Workload& workload, const Simulation& simulation);
// schemas/simulation.schema.json
Json to_json(const Workload& workload, const Simulation& simulation, const std::string& policy);

const char* processor_name(runtime::Processor processor);  // for people

// Why every application got what it got at one moment: its cost, and what it would be with each
// other capacity at the same share, and whether the memory would suffice.
std::string explain(const Moment& moment);

}  // namespace nestling
