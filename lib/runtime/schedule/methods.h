// How capacities are chosen: each returns one by application, from 1, or nothing if the memory does
// not suffice for any choice. The shares follow from them (shares.h), but for the greedy's own.
#pragma once

#include <vector>

#include "runtime/schedule.h"

namespace nestling::runtime {

constexpr Processor kProcessors[] = {Processor::cpu, Processor::accelerator};
inline size_t index_of(Processor processor) { return static_cast<size_t>(processor); }

struct Chosen {
  std::vector<int> capacities;  // empty: nothing fits
  double bound = 0;             // of the exact method: no choice costs less
};

// Gives the processors away in steps: each to the application whose cost, at the best capacity for
// its new share, falls most (min_total_cost), or is highest (min_max_cost).
Chosen choose_greedily(const Problem& problem, const Options& options);

// By branch and bound. For the sum of costs each processor is priced by a Lagrange multiplier,
// which makes the applications independent; for the highest cost it is halved to the tolerance, and
// each half asks for the choice that needs the least of the processors.
Chosen choose_exactly(const Problem& problem, const Options& options);

// The cost by the policy of capacities with the best shares for them.
double best_cost(const Problem& problem, Policy policy, const std::vector<int>& capacities);

// The curves of capacities, and the best shares.
std::vector<struct Curve> curves_of(const Problem& problem, const std::vector<int>& capacities);
std::vector<double> best_shares(const Problem& problem, Policy policy,
                                const std::vector<int>& capacities);

inline const CapacityCost& at(const Application& application, int capacity) {
  return application.capacities[static_cast<size_t>(capacity - 1)];
}

}  // namespace nestling::runtime
