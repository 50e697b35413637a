#include <algorithm>
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
  const double step = std::min(options.share_step, 1.0 / static_cast<double>(count));
  std::vector<double> shares(count, step * problem.device.processor);
  std::vector<double> costs(count);
  for (size_t i = 0; i < count; ++i) take(i, best(i, shares[i], costs[i]));
  const auto steps = static_cast<int64_t>(1 / step) - static_cast<int64_t>(count);
  for (int64_t s = 0; s < steps; ++s) {
    size_t chosen = 0;
    double most = -std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < count; ++i) {
      double cost = costs[i];
      if (options.policy != Policy::min_max_cost) {
        double next = 0;
        best(i, shares[i] + step * problem.device.processor, next);
        cost -= next;
      }
      if (cost > most) {
        most = cost;
        chosen = i;
      }
    }
    shares[chosen] += step * problem.device.processor;
    take(chosen, best(chosen, shares[chosen], costs[chosen]));
  }
  return {std::move(capacities), 0};
}

}  // namespace nestling::runtime
