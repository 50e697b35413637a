#include "simulate/generate.h"

#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/random.h"

namespace nestling {
namespace {

class Generator {
 public:
  explicit Generator(const GenerateOptions& options) : options_(options), random_(options.seed) {}

  Workload run() {
    applications();
    running_.resize(workload_.applications.size());
    if (options_.kind == "bursts") {
      bursts();
    } else {
      // Two are there from the beginning.
      for (size_t i = 0; i < std::min<size_t>(2, running_.size()); ++i) toggle(0, i);
      double at = wait();
      while (at < options_.duration_s) {
        event(at);
        at += wait();
      }
    }
    return std::move(workload_);
  }

 private:
  double between(double least, double most) { return least + (most - least) * random_.uniform(); }
  size_t any() { return random_.below(running_.size()); }
  double wait() { return -std::log(1 - random_.uniform()) * options_.event_s; }

  // Goals that the largest capacity just meets on an idle device, or nearly.
  void applications() {
    double memory = 0;
    for (int i = 0; i < options_.applications; ++i) {
      WorkloadApplication application;
      application.profile = options_.profiles[static_cast<size_t>(i) % options_.profiles.size()];
      read_profile(application.profile, application);
      runtime::Application& goals = application.goals;
      const runtime::CapacityCost& largest = goals.capacities.back();
      goals.name = fmt::format("application{}", i + 1);
      goals.min_accuracy = std::clamp(largest.accuracy - between(0, 0.02), 0.0, 1.0);
      goals.max_latency_s = largest.latency_s * between(1.5, 5);
      goals.frame_rate = options_.load / (options_.applications * largest.latency_s);
      // A latency twice as long as is wanted weighs as much as 2 to 20 points of accuracy.
      goals.alpha = between(0.02, 0.2) / goals.latency_bound();
      memory += static_cast<double>(largest.memory_bytes);
      workload_.applications.push_back(std::move(application));
    }
    workload_.duration_s = options_.duration_s;
    workload_.device.memory_bytes = static_cast<uint64_t>(options_.memory * memory);
    whole_memory_ = memory;
  }

  Event& add(double at, Event::Kind kind, size_t application = 0) {
    Event& event = workload_.events.emplace_back();
    event.at_s = std::round(at * 1000) / 1000;
    event.kind = kind;
    event.application = application;
    return event;
  }

  void toggle(double at, size_t application) {
    add(at, running_[application] ? Event::Kind::stop : Event::Kind::start, application);
    running_[application] = !running_[application];
  }

  void event(double at) {
    const auto run = std::count(running_.begin(), running_.end(), true);
    const uint64_t kind = options_.kind == "six" ? 0 : random_.below(6);
    if (kind < 3) {
      const size_t who = any();
      if (running_[who] && run <= 2) return;
      toggle(at, who);
    } else if (kind == 3) {
      const size_t who = any();
      const runtime::Application& goals = workload_.applications[who].goals;
      Event& changed = add(at, Event::Kind::goals, who);
      changed.min_accuracy =
          std::clamp(goals.capacities.back().accuracy - between(0, 0.05), 0.0, 1.0);
      changed.max_latency_s = goals.capacities.back().latency_s * between(1.2, 6);
    } else if (kind == 4) {
      add(at, Event::Kind::memory).memory_bytes =
          static_cast<uint64_t>(between(0.2, 1) * options_.memory * whole_memory_);
    } else {
      add(at, Event::Kind::processor).processor = between(0.3, 1);
    }
  }

  void bursts() {
    double at = 0;
    while (at < options_.duration_s) {
      for (size_t i = 0; i < running_.size(); ++i) {
        if (running_[i] != (i < 2)) toggle(at, i);
      }
      add(at, Event::Kind::processor).processor = 1;
      at += 2 * wait();
      if (at >= options_.duration_s) break;
      for (size_t i = 0; i < running_.size(); ++i) {
        if (!running_[i]) toggle(at, i);
      }
      add(at, Event::Kind::processor).processor = between(0.25, 0.5);
      at += 2 * wait();
    }
  }

  const GenerateOptions& options_;
  Random random_;
  Workload workload_;
  std::vector<bool> running_;
  double whole_memory_ = 0;
};

}  // namespace

std::vector<std::string> workload_kinds() { return {"random", "bursts", "six"}; }

Workload generate_workload(const GenerateOptions& options) {
  const std::vector<std::string> kinds = workload_kinds();
  if (std::find(kinds.begin(), kinds.end(), options.kind) == kinds.end()) {
    fail("there is no workload {}; there are: {}", options.kind, fmt::join(kinds, ", "));
  }
  if (options.profiles.empty()) fail("a workload needs at least one profile");
  return Generator(options).run();
}

}  // namespace nestling
