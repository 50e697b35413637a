#include <algorithm>
#include <iterator>
#include <limits>

#include "runtime/schedule/methods.h"
#include "runtime/schedule/shares.h"

namespace nestling::runtime {

Chosen choose_greedily(const Problem& problem, const Options& options) {
  const std::vector<Application>& applications = problem.applications;
  const size_t count = applications.size();
  std::vector<int> capacities(count, 1);
  uint64_t used = 0;
  for (const Application& application : applications) used += at(application, 1).memory_bytes;
  if (used > problem.device.memory_bytes) return {};

  // The best capacity of one application for a share, within the memory that the others leave.
  const auto best = [&](size_t i, double share, double& cost) {
    const Application& application = applications[i];
    const uint64_t others = used - at(application, capacities[i]).memory_bytes;
    int chosen = capacities[i];
    cost = std::numeric_limits<double>::infinity();
    for (int k = 1; k <= static_cast<int>(application.capacities.size()); ++k) {
      const CapacityCost& capacity = at(application, k);
      if (capacity.memory_bytes > problem.device.memory_bytes - others) continue;
      const double here = cost_of(application, capacity, share);
      if (here < cost) {
        cost = here;
        chosen = k;
      }
    }
    return chosen;
  };
  const auto take = [&](size_t i, int capacity) {
    used -= at(applications[i], capacities[i]).memory_bytes;
    used += at(applications[i], capacity).memory_bytes;
    capacities[i] = capacity;
  };

  // Everyone begins with a step, or less if there are more of them than steps.
  std::vector<double> steps(count);
  int64_t left[std::size(kProcessors)] = {};
  for (const Processor processor : kProcessors) {
    const auto with = std::count_if(applications.begin(), applications.end(),
                                    [&](const auto& a) { return a.processor == processor; });
    if (with == 0) continue;
    const double step = std::min(options.share_step, 1.0 / static_cast<double>(with));
    left[index_of(processor)] = static_cast<int64_t>(1 / step) - with;
    for (size_t i = 0; i < count; ++i) {
      if (applications[i].processor != processor) continue;
      steps[i] = step * problem.device.part_of(processor);
    }
  }
  std::vector<double> shares = steps;
  std::vector<double> costs(count);
  for (size_t i = 0; i < count; ++i) take(i, best(i, shares[i], costs[i]));
  while (std::any_of(std::begin(left), std::end(left), [](int64_t n) { return n > 0; })) {
    size_t chosen = 0;
    double most = -std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < count; ++i) {
      if (left[index_of(applications[i].processor)] <= 0) continue;
      double cost = costs[i];
      if (options.policy != Policy::min_max_cost) {
        double next = 0;
        best(i, shares[i] + steps[i], next);
        cost -= next;
      }
      if (cost > most) {
        most = cost;
        chosen = i;
      }
    }
    shares[chosen] += steps[chosen];
    --left[index_of(applications[chosen].processor)];
    take(chosen, best(chosen, shares[chosen], costs[chosen]));
  }
  return {std::move(capacities), 0};
}

}  // namespace nestling::runtime
