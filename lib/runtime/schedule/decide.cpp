#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/schedule/methods.h"
#include "runtime/schedule/shares.h"

namespace nestling::runtime {
namespace {

bool in_range(double value, double least, double most) {  // false for what is not a number
  return value >= least && value <= most;
}

// The applications that the memory suffices for, each at its smallest capacity: in the order of
// their priority, of equal ones those first that ask for less.
std::vector<size_t> served(const Problem& problem) {
  std::vector<size_t> order(problem.applications.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto least = [&](size_t i) { return at(problem.applications[i], 1).memory_bytes; };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const double pa = problem.applications[a].priority, pb = problem.applications[b].priority;
    if (pa != pb) return pa > pb;
    return least(a) != least(b) ? least(a) < least(b) : a < b;
  });
  uint64_t left = problem.device.memory_bytes;
  std::vector<bool> fits(order.size());
  for (const size_t i : order) {
    fits[i] = least(i) <= left;
    if (fits[i]) left -= least(i);
  }
  std::vector<size_t> result;
  for (size_t i = 0; i < fits.size(); ++i) {
    if (fits[i]) result.push_back(i);
  }
  return result;
}

Chosen choose(const Problem& problem, const Options& options) {
  if (options.policy == Policy::fixed) {
    return {std::vector<int>(problem.applications.size(), 1), 0};  // the only one, see only_fixed
  }
  return options.method == Method::greedy ? choose_greedily(problem, options)
                                          : choose_exactly(problem, options);
}

// The seconds of paging from some capacities to others; going down takes none to speak of.
double page_in_seconds(const Problem& problem, const std::vector<int>& from,
                       const std::vector<int>& to) {
  double seconds = 0;
  for (size_t i = 0; i < to.size(); ++i) {
    for (int k = from[i] + 1; k <= to[i]; ++k) {
      seconds += at(problem.applications[i], k).page_in_s;
    }
  }
  return seconds;
}

// The problem with every application that runs already bound to its capacity.
Problem bound_to(const Problem& problem, const std::vector<int>& before) {
  Problem result = problem;
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] > 0) {
      result.applications[i].capacities = {at(problem.applications[i], before[i])};
    }
  }
  return result;
}

// The problem with nothing but one capacity of each application.
Problem only_fixed(const Problem& problem, int capacity) {
  Problem result = problem;
  for (Application& application : result.applications) {
    const auto count = static_cast<int>(application.capacities.size());
    application.capacities = {at(application, std::min(capacity, count))};
  }
  return result;
}

// What is wrong with it, or null.
const char* fault_of(const Application& a) {
  if (a.capacities.empty()) return "has no capacities";
  if (a.capacities.size() > 64) return "has more than 64 capacities";
  if (!in_range(a.min_accuracy, 0, 1)) return "wants an accuracy that is not from 0 to 1";
  if (!in_range(a.max_latency_s, 1e-9, 1e6)) return "wants a latency out of range";
  if (!in_range(a.alpha, 0, 1e6)) return "has a weight out of range";
  if (!in_range(a.frame_rate, 0, 1e6)) return "wants a frame rate out of range";
  if (!in_range(a.priority, 1e-6, 1e6)) return "has a priority out of range";
  for (const CapacityCost& c : a.capacities) {
    if (!in_range(c.accuracy, -1, 1) || !in_range(c.latency_s, 1e-9, 1e6) ||
        !in_range(c.page_in_s, 0, 1e6) || c.memory_bytes > uint64_t{1} << 50) {
      return "has a capacity with numbers out of range";
    }
  }
  return nullptr;
}

}  // namespace

double cost_of(const Application& application, const CapacityCost& capacity, double share) {
  return curve_of(application, capacity).at(share);
}

std::vector<Curve> curves_of(const Problem& problem, const std::vector<int>& capacities) {
  std::vector<Curve> curves;
  curves.reserve(capacities.size());
  for (size_t i = 0; i < capacities.size(); ++i) {
    const Application& application = problem.applications[i];
    curves.push_back(curve_of(application, at(application, capacities[i])));
  }
  return curves;
}

std::vector<double> best_shares(const Problem& problem, Policy policy,
                                const std::vector<int>& capacities) {
  const std::vector<Curve> curves = curves_of(problem, capacities);
  std::vector<double> shares(curves.size());
  for (const Processor processor : kProcessors) {
    std::vector<size_t> who;
    std::vector<Curve> part;
    for (size_t i = 0; i < curves.size(); ++i) {
      if (problem.applications[i].processor != processor) continue;
      who.push_back(i);
      part.push_back(curves[i]);
    }
    if (who.empty()) continue;
    const double most = problem.device.part_of(processor);
    std::vector<double> found;
    if (policy == Policy::fixed) {
      found.assign(who.size(), most / static_cast<double>(who.size()));
    } else {
      found = policy == Policy::min_max_cost ? shares_for_max(part, most)
                                             : shares_for_total(part, most);
    }
    for (size_t n = 0; n < who.size(); ++n) shares[who[n]] = found[n];
  }
  return shares;
}

double best_cost(const Problem& problem, Policy policy, const std::vector<int>& capacities) {
  const std::vector<double> shares = best_shares(problem, policy, capacities);
  const std::vector<Curve> curves = curves_of(problem, capacities);
  double sum = 0, most = -1e300;
  for (size_t i = 0; i < curves.size(); ++i) {
    const double cost = curves[i].at(shares[i]);
    sum += cost;
    most = std::max(most, cost);
  }
  return policy == Policy::min_max_cost ? most : sum;
}

Status check_problem(const Problem& problem, const Options& options) {
  const auto bad = [](std::string text) {
    return Status(StatusCode::bad_argument, std::move(text));
  };
  for (const Processor processor : kProcessors) {
    if (!in_range(problem.device.part_of(processor), 1e-6, 1)) {
      return bad("the part of a processor is not from 0 to 1");
    }
  }
  if (problem.applications.size() > 1024) return bad("there are more than 1024 applications");
  if (!in_range(options.share_step, 1e-4, 1) || !in_range(options.tolerance, 1e-9, 1) ||
      options.max_nodes < 1 || options.fixed_capacity < 1 || !in_range(options.margin, 0, 1e6) ||
      !in_range(options.page_in_weight, 0, 1e6)) {
    return bad("an option of the scheduler is out of its range");
  }
  for (const Application& a : problem.applications) {
    if (const char* fault = fault_of(a)) {
      return bad("the application \"" + a.name + "\" " + fault);
    }
  }
  return {};
}

namespace {

Decision choose_anew_or_keep(const Problem& problem, const Options& options,
                             const std::vector<int>& before) {
  Decision decision;
  decision.assignments.resize(problem.applications.size());
  const std::vector<size_t> who = served(problem);
  if (who.empty()) return decision;
  Problem part{problem.device, {}};
  std::vector<int> running;
  for (const size_t i : who) {
    part.applications.push_back(problem.applications[i]);
    const int capacity = i < before.size() ? before[i] : 0;
    const auto count = static_cast<int>(problem.applications[i].capacities.size());
    running.push_back(capacity <= count ? capacity : 0);
  }

  Chosen chosen = choose(part, options);
  const bool any_running = std::any_of(running.begin(), running.end(), [](int c) { return c > 0; });
  if (any_running) {
    // The same with those that run kept at their capacities.
    const Chosen stay = choose(bound_to(part, running), options);
    if (!stay.capacities.empty()) {
      std::vector<int> capacities = stay.capacities;
      for (size_t i = 0; i < running.size(); ++i) {
        if (running[i] > 0) capacities[i] = running[i];
      }
      const double gain = best_cost(part, options.policy, capacities) -
                          best_cost(part, options.policy, chosen.capacities);
      const double price = options.margin + options.page_in_weight *
                                                (page_in_seconds(part, running, chosen.capacities) -
                                                 page_in_seconds(part, running, capacities));
      if (gain <= std::max(0.0, price) && capacities != chosen.capacities) {
        chosen.capacities = std::move(capacities);
        decision.kept = true;
      }
    }
  }

  const std::vector<double> shares = best_shares(part, options.policy, chosen.capacities);
  decision.cost = best_cost(part, options.policy, chosen.capacities);
  decision.bound = chosen.bound;
  for (size_t i = 0; i < who.size(); ++i) {
    const CapacityCost& capacity = at(part.applications[i], chosen.capacities[i]);
    decision.assignments[who[i]] = {chosen.capacities[i], shares[i],
                                    cost_of(part.applications[i], capacity, shares[i])};
    decision.memory_bytes += capacity.memory_bytes;
  }
  return decision;
}

}  // namespace

Decision decide(const Problem& problem, const Options& options, const std::vector<int>& before) {
  if (options.policy != Policy::fixed) return choose_anew_or_keep(problem, options, before);
  Decision decision = choose_anew_or_keep(only_fixed(problem, options.fixed_capacity), options, {});
  for (size_t i = 0; i < decision.assignments.size(); ++i) {
    const auto count = static_cast<int>(problem.applications[i].capacities.size());
    int& capacity = decision.assignments[i].capacity;
    if (capacity > 0) capacity = std::min(options.fixed_capacity, count);
  }
  return decision;
}

}  // namespace nestling::runtime
