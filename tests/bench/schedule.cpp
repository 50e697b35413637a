// How long the scheduler takes to decide, and how near its methods come: the median and the 99th
// percentile over random problems of the size that is asked for.
//   schedule [APPLICATIONS CAPACITIES]
#include "runtime/schedule.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

#include "seconds.h"

#include "base/random.h"

using namespace nestling;
using namespace nestling::runtime;

namespace {

Problem random_problem(Random& random, int applications, int capacities) {
  Problem problem;
  double least = 0, most = 0;
  for (int i = 0; i < applications; ++i) {
    Application application;
    double accuracy = 0.6 + 0.1 * random.uniform(), latency = 0.001 + 0.01 * random.uniform();
    double memory = 1e6 * (1 + random.uniform());
    least += memory;
    for (int k = 0; k < capacities; ++k) {
      application.capacities.push_back({accuracy, latency, static_cast<uint64_t>(memory), 0.001});
      accuracy += 0.04 * random.uniform();
      latency *= 1.2 + 0.5 * random.uniform();
      memory *= 1.2 + 0.5 * random.uniform();
    }
    most += memory;
    application.min_accuracy = 0.7;
    application.max_latency_s = 0.02 + 0.1 * random.uniform();
    application.alpha = 1 + 4 * random.uniform();
    problem.applications.push_back(std::move(application));
  }
  problem.device.memory_bytes =
      static_cast<uint64_t>(least + 0.3 * random.uniform() * (most - least));
  return problem;
}

void measure(int applications, int capacities) {
  for (const auto& [policy, name] : {std::pair{Policy::min_total_cost, "min total"},
                                     std::pair{Policy::min_max_cost, "min max"}}) {
    Random random(1);
    std::vector<double> times[2];
    double gap = 0, unproven = 0;
    constexpr int kProblems = 200;
    for (int p = 0; p < kProblems; ++p) {
      const Problem problem = random_problem(random, applications, capacities);
      double cost[2] = {};
      for (const Method method : {Method::greedy, Method::exact}) {
        const auto m = static_cast<size_t>(method);
        Decision decision;
        times[m].push_back(bench::milliseconds(
            [&] { decision = decide(problem, {.policy = policy, .method = method}); }));
        cost[m] = decision.cost;
        if (method == Method::exact) unproven += decision.cost - decision.bound > 2e-4;
      }
      gap += cost[0] - cost[1];
    }
    for (auto& all : times) std::sort(all.begin(), all.end());
    fmt::print(
        "{} x {}, {}: greedy {:.3f} ms (99 %: {:.3f}), exact {:.3f} ms (99 %: {:.3f}), greedy "
        "costs {:.4f} more, {:.1f} % not proven\n",
        applications, capacities, name, times[0][kProblems / 2], times[0][kProblems * 99 / 100],
        times[1][kProblems / 2], times[1][kProblems * 99 / 100], gap / kProblems,
        100 * unproven / kProblems);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    measure(std::max(1, std::atoi(argv[1])), std::max(1, std::atoi(argv[2])));
  } else {
    measure(6, 5);
    measure(32, 8);
  }
}
