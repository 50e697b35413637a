#include "simulate/simulation.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace nestling {
namespace {

using runtime::Assignment;
using runtime::CapacityCost;

class Player {
 public:
  Player(const Workload& workload, const runtime::Options& options)
      : workload_(workload), options_(options), device_(workload.device) {
    const size_t count = workload.applications.size();
    result_.services.resize(count);
    capacities_.resize(count);
    for (const WorkloadApplication& one : workload.applications) goals_.push_back(one.goals);
  }

  Simulation run() {
    double now = 0;
    for (size_t e = 0; e < workload_.events.size();) {
      // What happens at the same time is decided once.
      const double at = workload_.events[e].at_s;
      if (at >= workload_.duration_s) break;
      pass(now, at);
      now = at;
      std::string what;
      for (; e < workload_.events.size() && workload_.events[e].at_s == at; ++e) {
        const std::string one = apply(workload_.events[e]);
        what += (what.empty() || one.empty() ? "" : "; ") + one;
      }
      if (!what.empty()) decide(now, std::move(what));
    }
    pass(now, workload_.duration_s);
    result_.average(workload_.duration_s);
    return std::move(result_);
  }

 private:
  bool runs(size_t application) const {
    return std::find(running_.begin(), running_.end(), application) != running_.end();
  }

  // Says what happened; nothing, if it concerns nobody who runs.
  std::string apply(const Event& event) {
    const std::string name = workload_.applications.empty() ? "" : goals_[event.application].name;
    switch (event.kind) {
      case Event::Kind::start:
        if (runs(event.application)) return {};
        running_.push_back(event.application);
        return name + " starts";
      case Event::Kind::stop:
        if (!runs(event.application)) return {};
        running_.erase(std::remove(running_.begin(), running_.end(), event.application),
                       running_.end());
        capacities_[event.application] = 0;
        return name + " stops";
      case Event::Kind::goals:
        goals_[event.application].min_accuracy = event.min_accuracy;
        goals_[event.application].max_latency_s = event.max_latency_s;
        return runs(event.application) ? name + " has other goals" : "";
      case Event::Kind::memory:
        device_.memory_bytes = event.memory_bytes;
        return fmt::format("{} bytes of memory", event.memory_bytes);
      case Event::Kind::processor:
        device_.processor = event.processor;
        return fmt::format("{:.0f} % of the processor", 100 * event.processor);
      case Event::Kind::accelerator:
        device_.accelerator = event.processor;
        return fmt::format("{:.0f} % of the accelerator", 100 * event.processor);
    }
    return {};
  }

  void decide(double now, std::string what) {
    Moment& moment = result_.moments.emplace_back();
    moment.at_s = now;
    moment.event = std::move(what);
    moment.problem.device = device_;
    std::vector<int> before;
    moment.who = running_;
    for (const size_t i : running_) {
      moment.problem.applications.push_back(goals_[i]);
      before.push_back(capacities_[i]);
    }
    moment.decision = runtime::decide(moment.problem, options_, before);
    for (size_t n = 0; n < moment.who.size(); ++n) {
      const size_t i = moment.who[n];
      const int to = moment.decision.assignments[n].capacity;
      Service& service = result_.services[i];
      if (capacities_[i] > 0 && to != capacities_[i]) ++service.switches;
      for (int k = capacities_[i] + 1; k <= to; ++k) {
        const auto c = static_cast<size_t>(k - 1);
        service.page_in_bytes += workload_.applications[i].page_in_bytes[c];
        service.page_in_s += goals_[i].capacities[c].page_in_s;
      }
      capacities_[i] = to;
    }
    result_.most_memory_bytes = std::max(result_.most_memory_bytes, moment.decision.memory_bytes);
  }

  // What the last decision gives until `to`.
  void pass(double from, double to) {
    const double seconds = to - from;
    if (seconds <= 0 || result_.moments.empty()) return;
    const Moment& moment = result_.moments.back();
    const Moment* before =
        result_.moments.size() > 1 ? &result_.moments[result_.moments.size() - 2] : nullptr;
    const std::vector<double> shares = used_shares(moment);
    for (size_t n = 0; n < moment.who.size(); ++n) {
      const size_t i = moment.who[n];
      Service& service = result_.services[i];
      service.running_s += seconds;
      if (goals_[i].frame_rate > 0) service.wanted += goals_[i].frame_rate * seconds;
      const Assignment& assignment = moment.decision.assignments[n];
      if (assignment.capacity == 0) continue;
      // Until it is paged in, the capacity of before serves.
      const int old = before == nullptr ? 0 : capacity_at(*before, i);
      double paging = 0;
      for (int k = old + 1; k <= assignment.capacity; ++k) {
        paging += goals_[i].capacities[static_cast<size_t>(k - 1)].page_in_s;
      }
      paging = std::min(paging, seconds);
      if (old > 0 && paging > 0) serve(i, old, assignment.share, shares[n], paging);
      serve(i, assignment.capacity, assignment.share, shares[n], seconds - paging);
    }
    result_.mean_memory_bytes += static_cast<double>(moment.decision.memory_bytes) * seconds;
  }

  // What of its processor each can use: who wants no more frames leaves the rest to the others, in
  // proportion to their shares, as the host's fair queue does. By application of the moment.
  std::vector<double> used_shares(const Moment& moment) const {
    const std::vector<double> on_cpu = used_shares(moment, runtime::Processor::cpu);
    std::vector<double> used = used_shares(moment, runtime::Processor::accelerator);
    for (size_t n = 0; n < used.size(); ++n) used[n] += on_cpu[n];
    return used;
  }

  // Of those on one processor; 0 for the others.
  std::vector<double> used_shares(const Moment& moment, runtime::Processor processor) const {
    const size_t count = moment.who.size();
    std::vector<double> used(count, 0), needs(count, 0);
    std::vector<bool> full(count, false);
    for (size_t n = 0; n < count; ++n) {
      const Assignment& a = moment.decision.assignments[n];
      const runtime::Application& goals = goals_[moment.who[n]];
      needs[n] =
          goals.frame_rate > 0 && a.capacity > 0
              ? goals.frame_rate * goals.capacities[static_cast<size_t>(a.capacity - 1)].latency_s
              : 1;
      full[n] = a.capacity == 0 || goals.processor != processor;
    }
    for (bool again = true; again;) {
      again = false;
      double left = moment.problem.device.part_of(processor), weights = 0;
      for (size_t n = 0; n < count; ++n) {
        if (full[n]) {
          left -= used[n];
        } else {
          weights += moment.decision.assignments[n].share;
        }
      }
      for (size_t n = 0; n < count; ++n) {
        if (full[n]) continue;
        used[n] = weights > 0 ? left * moment.decision.assignments[n].share / weights : 0;
        if (needs[n] > used[n]) continue;
        used[n] = needs[n];
        full[n] = again = true;
        break;  // and what it leaves is shared out anew
      }
    }
    return used;
  }

  static int capacity_at(const Moment& moment, size_t application) {
    for (size_t n = 0; n < moment.who.size(); ++n) {
      if (moment.who[n] == application) return moment.decision.assignments[n].capacity;
    }
    return 0;
  }

  // `share` is what it is promised, `used` what it computes with.
  void serve(size_t i, int capacity, double share, double used, double seconds) {
    const runtime::Application& goals = goals_[i];
    const auto c = static_cast<size_t>(capacity - 1);
    const CapacityCost& cost = goals.capacities[c];
    const double latency = cost.latency_s / std::max(share, used);
    const double possible = used / cost.latency_s;
    const double rate = goals.frame_rate > 0 ? std::min(goals.frame_rate, possible) : possible;
    Service& service = result_.services[i];
    const double frames = rate * seconds;
    service.served_s += seconds;
    service.frames += frames;
    if (goals.frame_rate <= 0) service.wanted += frames;
    if (latency > goals.max_latency_s * (1 + 1e-9)) service.missed += frames;
    service.accuracy += seconds * cost.accuracy;
    service.memory_bytes += static_cast<double>(cost.memory_bytes) * seconds;
    service.energy_mj += frames * workload_.applications[i].energy[c].value_or(0);
  }

  const Workload& workload_;
  const runtime::Options& options_;
  runtime::Device device_;
  std::vector<runtime::Application> goals_;
  std::vector<int> capacities_;  // 0: not served
  std::vector<size_t> running_;  // in the order of their starts
  Simulation result_;
};

}  // namespace

Simulation simulate(const Workload& workload, const runtime::Options& options) {
  return Player(workload, options).run();
}

Service total_of(const Simulation& simulation) {
  Service all;
  for (const Service& s : simulation.services) {
    all.running_s += s.running_s;
    all.served_s += s.served_s;
    all.frames += s.frames;
    all.missed += s.missed;
    all.wanted += s.wanted;
    all.accuracy += s.served_s * s.accuracy;
    all.switches += s.switches;
    all.page_in_bytes += s.page_in_bytes;
    all.page_in_s += s.page_in_s;
    all.memory_bytes += s.served_s * s.memory_bytes;
    all.energy_mj += s.energy_mj;
  }
  all.average();
  return all;
}

size_t name_width(const Workload& workload) {
  size_t width = 11;
  for (const auto& one : workload.applications) width = std::max(width, one.goals.name.size());
  return width;
}

std::string simulation_table(const Workload& workload, const Simulation& simulation) {
  const size_t width = name_width(workload);
  std::string text = fmt::format("{:{}}  {:>9}  {:>9}  {:>8}  {:>8}  {:>8}  {:>10}  {:>9}\n",
                                 "application", width, "served s", "frames/s", "accuracy", "missed",
                                 "switches", "paged in", "memory KB");
  for (size_t i = 0; i < simulation.services.size(); ++i) {
    const Service& s = simulation.services[i];
    text += fmt::format(
        "{:{}}  {:>9.1f}  {:>9.2f}  {:>7.2f}%  {:>7.2f}%  {:>8}  {:>10}  {:>9.0f}\n",
        workload.applications[i].goals.name, width, s.served_s, s.rate(), 100 * s.accuracy,
        s.late_percent(), s.switches, s.page_in_bytes, s.memory_bytes / 1024);
  }
  const Service all = total_of(simulation);
  return text + fmt::format(
                    "{:{}}  {:>9.1f}  {:>9.2f}  {:>7.2f}%  {:>7.2f}%  {:>8}  {:>10}  "
                    "{:>9.0f}\n",
                    "all", width, all.served_s, all.rate(), 100 * all.accuracy, all.late_percent(),
                    all.switches, all.page_in_bytes, simulation.mean_memory_bytes / 1024);
}

Json to_json(const Workload& workload, const Simulation& simulation, const std::string& policy) {
  Json applications = Json::array(), moments = Json::array();
  for (size_t i = 0; i < simulation.services.size(); ++i) {
    const Service& s = simulation.services[i];
    applications.push_back({{"name", workload.applications[i].goals.name},
                            {"running_s", s.running_s},
                            {"served_s", s.served_s},
                            {"frames", s.frames},
                            {"wanted", s.wanted},
                            {"missed", s.missed},
                            {"accuracy", s.accuracy},
                            {"switches", s.switches},
                            {"page_in_bytes", s.page_in_bytes},
                            {"page_in_s", s.page_in_s},
                            {"memory_bytes", s.memory_bytes},
                            {"energy_mj", s.energy_mj}});
  }
  for (const Moment& moment : simulation.moments) {
    Json assignments = Json::array();
    for (size_t n = 0; n < moment.who.size(); ++n) {
      const Assignment& a = moment.decision.assignments[n];
      assignments.push_back({{"name", moment.problem.applications[n].name},
                             {"capacity", a.capacity},
                             {"share", a.share},
                             {"cost", a.cost}});
    }
    moments.push_back({{"at_s", moment.at_s},
                       {"event", moment.event},
                       {"budget_bytes", moment.problem.device.memory_bytes},
                       {"memory_bytes", moment.decision.memory_bytes},
                       {"cost", moment.decision.cost},
                       {"kept", moment.decision.kept},
                       {"assignments", assignments}});
  }
  return {{"schema", "nestling/simulation/1"},
          {"policy", policy},
          {"duration_s", workload.duration_s},
          {"applications", applications},
          {"mean_memory_bytes", simulation.mean_memory_bytes},
          {"most_memory_bytes", simulation.most_memory_bytes},
          {"moments", moments}};
}

const char* processor_name(runtime::Processor processor) {
  return processor == runtime::Processor::cpu ? "processor" : "accelerator";
}

std::string explain(const Moment& moment) {
  std::string text =
      fmt::format("{:.3f} s: {}{}\n", moment.at_s, moment.event,
                  moment.decision.kept ? " (capacities kept: a change gains too little)" : "");
  for (size_t n = 0; n < moment.who.size(); ++n) {
    const runtime::Application& goals = moment.problem.applications[n];
    const Assignment& a = moment.decision.assignments[n];
    if (a.capacity == 0) {
      text += fmt::format(
          "  {}: not served; its smallest capacity takes {} bytes, more than the "
          "others leave of {}\n",
          goals.name, goals.capacities[0].memory_bytes, moment.problem.device.memory_bytes);
      continue;
    }
    const CapacityCost& chosen = goals.capacities[static_cast<size_t>(a.capacity - 1)];
    text += fmt::format("  {}: capacity {} of {} with {:.1f} % of the {}, {:.2f} ms, cost {:.4f}\n",
                        goals.name, a.capacity, goals.capacities.size(), 100 * a.share,
                        processor_name(goals.processor), 1000 * chosen.latency_s / a.share, a.cost);
    for (size_t k = 0; k < goals.capacities.size(); ++k) {
      const CapacityCost& other = goals.capacities[k];
      const bool fits = moment.decision.memory_bytes - chosen.memory_bytes + other.memory_bytes <=
                        moment.problem.device.memory_bytes;
      text +=
          fmt::format("    {} {}: accuracy {:.2f} %, {:.2f} ms, {} bytes{}, cost {:.4f}\n",
                      k + 1 == static_cast<size_t>(a.capacity) ? "*" : " ", k + 1,
                      100 * other.accuracy, 1000 * other.latency_s / a.share, other.memory_bytes,
                      fits ? "" : " (too many)", runtime::cost_of(goals, other, a.share));
    }
  }
  return text;
}

}  // namespace nestling
