#include "runtime/schedule.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "runtime/schedule/methods.h"
#include "runtime/schedule/shares.h"
#include "support/catch.h"

#include "base/random.h"

using namespace nestling::runtime;
using nestling::Random;

namespace {

Application random_application(Random& random, int most_capacities) {
  Application application;
  application.name = "app";
  const auto count = 1 + random.below(static_cast<uint64_t>(most_capacities));
  double accuracy = 0.5 + 0.2 * random.uniform();
  double latency = 0.002 + 0.02 * random.uniform();
  double memory = 1e5 + 1e6 * random.uniform();
  for (uint64_t k = 0; k < count; ++k) {
    application.capacities.push_back(
        {accuracy, latency, static_cast<uint64_t>(memory), 0.001 * random.uniform()});
    accuracy += 0.1 * random.uniform() - 0.01;  // at times a larger one is not better
    latency *= 1 + random.uniform();
    memory *= 1 + random.uniform();
  }
  application.min_accuracy = 0.5 + 0.4 * random.uniform();
  application.max_latency_s = 0.01 + 0.1 * random.uniform();
  application.alpha = random.below(8) == 0 ? 0 : 10 * random.uniform();
  application.priority = random.below(4) == 0 ? 3 : 1;
  if (random.below(3) == 0) application.frame_rate = 5 + 30 * random.uniform();
  return application;
}

// With two processors some applications run on the accelerator.
Problem random_problem(Random& random, uint64_t applications, int capacities,
                       uint64_t processors = 1) {
  Problem problem;
  uint64_t least = 0, most = 0;
  for (uint64_t i = 0; i < applications; ++i) {
    problem.applications.push_back(random_application(random, capacities));
    problem.applications.back().processor = kProcessors[random.below(processors)];
    least += problem.applications.back().capacities.front().memory_bytes;
    most += problem.applications.back().capacities.back().memory_bytes;
  }
  const double part = random.uniform();
  problem.device.memory_bytes =
      least + static_cast<uint64_t>(part * static_cast<double>(most - least));
  problem.device.processor = random.below(3) == 0 ? 0.5 : 1;
  problem.device.accelerator = 0.3 + 0.7 * random.uniform();
  return problem;
}

// The least cost of all choices of capacities that fit; infinite if none does.
double brute_force(const Problem& problem, Policy policy) {
  double least = std::numeric_limits<double>::infinity();
  std::vector<int> choice;
  const std::function<void(uint64_t)> extend = [&](uint64_t memory) {
    if (memory > problem.device.memory_bytes) return;
    if (choice.size() == problem.applications.size()) {
      least = std::min(least, best_cost(problem, policy, choice));
      return;
    }
    const Application& next = problem.applications[choice.size()];
    for (int k = 1; k <= static_cast<int>(next.capacities.size()); ++k) {
      choice.push_back(k);
      extend(memory + at(next, k).memory_bytes);
      choice.pop_back();
    }
  };
  extend(0);
  return least;
}

double cost_with(const std::vector<Curve>& curves, const std::vector<double>& shares,
                 Policy policy) {
  double sum = 0, most = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < curves.size(); ++i) {
    sum += curves[i].at(shares[i]);
    most = std::max(most, curves[i].at(shares[i]));
  }
  return policy == Policy::min_max_cost ? most : sum;
}

}  // namespace

TEST_CASE("no other shares cost less") {
  const uint64_t seed = 301;
  INFO("seed " << seed);
  Random random(seed);
  for (int round = 0; round < 500; ++round) {
    const Problem problem = random_problem(random, 1 + random.below(6), 3, 1 + random.below(2));
    std::vector<int> capacities;
    for (const Application& a : problem.applications) {
      capacities.push_back(1 + static_cast<int>(random.below(a.capacities.size())));
    }
    const std::vector<Curve> curves = curves_of(problem, capacities);
    for (const Policy policy : {Policy::min_total_cost, Policy::min_max_cost}) {
      const std::vector<double> shares = best_shares(problem, policy, capacities);
      const std::vector<Application>& applications = problem.applications;
      for (const Processor processor : kProcessors) {
        double sum = 0;
        for (size_t i = 0; i < shares.size(); ++i) {
          CHECK(shares[i] > 0);
          if (applications[i].processor == processor) sum += shares[i];
        }
        if (sum > 0) CHECK(sum == Approx(problem.device.part_of(processor)));
      }
      const double cost = cost_with(curves, shares, policy);
      // The costs are convex in the shares: where no small exchange helps, nothing does.
      for (int other = 0; other < 20; ++other) {
        std::vector<double> changed = shares;
        const size_t a = random.below(shares.size()), b = random.below(shares.size());
        if (applications[a].processor != applications[b].processor) continue;
        const double by = shares[a] * random.uniform() * (other % 2 == 0 ? 0.02 : 0.9);
        changed[a] -= by;
        changed[b] += by;
        CHECK(cost_with(curves, changed, policy) >= cost - 1e-3 * std::max(1.0, std::abs(cost)));
      }
    }
  }
}

TEST_CASE("the exact method finds what brute force finds, the greedy no less") {
  const uint64_t seed = 302;
  INFO("seed " << seed);
  Random random(seed);
  double gap = 0, largest = 0;
  int rounds = 0;
  for (; rounds < 3000; ++rounds) {
    INFO("round " << rounds);
    const Problem problem = random_problem(random, 1 + random.below(4), 4, 1 + random.below(2));
    for (const Policy policy : {Policy::min_total_cost, Policy::min_max_cost}) {
      Options options;
      options.policy = policy;
      REQUIRE(check_problem(problem, options).ok());
      const double least = brute_force(problem, policy);
      const Decision exact = decide(problem, options);
      REQUIRE(exact.cost <= least + options.tolerance + 1e-9);
      REQUIRE(exact.cost >= least - 1e-9);
      REQUIRE(exact.bound <= least + 1e-6);
      REQUIRE(exact.bound >= exact.cost - 2 * options.tolerance);
      options.method = Method::greedy;
      const double greedy = decide(problem, options).cost;
      REQUIRE(greedy >= least - 1e-9);
      gap += greedy - least;
      largest = std::max(largest, greedy - least);
    }
  }
  WARN("the greedy costs " << gap / (2 * rounds) << " more in the mean, at most " << largest);
}

TEST_CASE("after any event the memory and the processor suffice, and all are served or told") {
  const uint64_t seed = 303;
  INFO("seed " << seed);
  Random random(seed);
  Problem problem = random_problem(random, 3, 4);
  std::vector<int> before(3, 0);
  int kept = 0, dropped = 0;
  for (int event = 0; event < 100000; ++event) {
    INFO("event " << event);
    std::vector<Application>& applications = problem.applications;
    const uint64_t kind = random.below(5);
    if (kind == 0 && applications.size() < 5) {
      applications.push_back(random_application(random, 4));
      applications.back().processor = kProcessors[random.below(2)];
      before.push_back(0);
    } else if (kind == 1 && applications.size() > 1) {
      const auto gone = static_cast<std::ptrdiff_t>(random.below(applications.size()));
      applications.erase(applications.begin() + gone);
      before.erase(before.begin() + gone);
    } else if (kind == 2) {
      Application& changed = applications[random.below(applications.size())];
      changed.max_latency_s = 0.01 + 0.1 * random.uniform();
      changed.min_accuracy = 0.5 + 0.4 * random.uniform();
    } else if (kind == 3) {
      problem.device.memory_bytes = random.below(uint64_t{1} << 24);
    } else {
      problem.device.processor = 0.1 + 0.9 * random.uniform();
      problem.device.accelerator = 0.1 + 0.9 * random.uniform();
    }
    Options options;
    options.policy = event % 2 == 0 ? Policy::min_total_cost : Policy::min_max_cost;
    options.method = event % 8 < 2 ? Method::exact : Method::greedy;
    options.share_step = 0.05;
    const Decision decision = decide(problem, options, before);

    uint64_t memory = 0, refused = 0;
    double shares[2] = {};
    std::vector<int> chosen;
    for (size_t i = 0; i < applications.size(); ++i) {
      const Assignment& assignment = decision.assignments[i];
      chosen.push_back(assignment.capacity);
      if (assignment.capacity == 0) {
        ++refused;
        continue;
      }
      REQUIRE(assignment.share > 0);
      memory += at(applications[i], assignment.capacity).memory_bytes;
      shares[index_of(applications[i].processor)] += assignment.share;
      REQUIRE(assignment.cost ==
              Approx(cost_of(applications[i], at(applications[i], assignment.capacity),
                             assignment.share)));
    }
    REQUIRE(memory == decision.memory_bytes);
    REQUIRE(memory <= problem.device.memory_bytes);
    REQUIRE(shares[0] <= problem.device.processor + 1e-9);
    REQUIRE(shares[1] <= problem.device.accelerator + 1e-9);
    // Who is not served would not fit beside those of its priority or more that are.
    for (size_t i = 0; i < applications.size(); ++i) {
      if (chosen[i] != 0) continue;
      uint64_t least = at(applications[i], 1).memory_bytes;
      for (size_t other = 0; other < applications.size(); ++other) {
        if (chosen[other] > 0) least += at(applications[other], 1).memory_bytes;
      }
      REQUIRE(least > problem.device.memory_bytes);
      ++dropped;
    }
    // Keeping what runs, if it still fits, is never cheaper.
    uint64_t as_before = 0;
    bool all_run = refused == 0;
    for (size_t i = 0; i < applications.size() && all_run; ++i) {
      all_run = before[i] > 0;
      if (all_run) as_before += at(applications[i], before[i]).memory_bytes;
    }
    if (all_run && as_before <= problem.device.memory_bytes) {
      REQUIRE(decision.cost <= best_cost(problem, options.policy, before) + 1e-9);
      if (decision.kept) REQUIRE(chosen == before);
    }
    kept += decision.kept;
    before = chosen;
  }
  CHECK(kept > 100);
  CHECK(dropped > 100);
}

TEST_CASE("a small gain does not change capacities, a large one does") {
  Problem problem;
  problem.device.memory_bytes = 1000;
  Application application;
  application.name = "camera";
  application.capacities = {
      {0.80, 0.010, 100, 0.001}, {0.804, 0.012, 200, 0.001}, {0.9, 0.02, 300, 0.001}};
  application.min_accuracy = 0.8;
  application.max_latency_s = 0.013;
  problem.applications = {application};
  Options options;
  CHECK(decide(problem, options).assignments[0].capacity == 3);  // 0.007 s late cost 0.007
  problem.applications[0].alpha = 100;
  CHECK(decide(problem, options).assignments[0].capacity == 2);
  const Decision stays = decide(problem, options, {1});  // 0.004 better
  CHECK(stays.assignments[0].capacity == 1);
  CHECK(stays.kept);
  problem.applications[0].max_latency_s = 0.03;
  const Decision goes = decide(problem, options, {1});  // 0.1 better
  CHECK(goes.assignments[0].capacity == 3);
  CHECK_FALSE(goes.kept);
  problem.applications[0].capacities[2].page_in_s = 5;  // dearer than what it gains
  CHECK(decide(problem, options, {1}).assignments[0].capacity == 1);
  problem.device.memory_bytes = 50;
  const Decision none = decide(problem, options, {1});
  CHECK(none.assignments[0].capacity == 0);
  CHECK(none.memory_bytes == 0);
}

TEST_CASE("the fixed baseline takes one capacity and equal shares, whatever happens") {
  Random random(9);
  Problem problem = random_problem(random, 4, 3);
  Options options;
  options.policy = Policy::fixed;
  problem.device.memory_bytes = uint64_t{1} << 40;
  for (const int capacity : {1, 2, 64}) {
    options.fixed_capacity = capacity;
    const Decision decision = decide(problem, options, {3, 3, 3, 3});
    for (size_t i = 0; i < 4; ++i) {
      const Assignment& assignment = decision.assignments[i];
      const auto count = static_cast<int>(problem.applications[i].capacities.size());
      CHECK(assignment.capacity == std::min(capacity, count));
      CHECK(assignment.share == Approx(problem.device.processor / 4));
    }
  }
  // Who does not fit is not served, and leaves the processor to the others.
  for (Application& a : problem.applications) a.priority = 1;
  problem.applications[2].priority = 2;
  problem.device.memory_bytes = problem.applications[2].capacities.back().memory_bytes;
  const Decision decision = decide(problem, options);
  CHECK(decision.assignments[2].capacity == std::ssize(problem.applications[2].capacities));
  CHECK(decision.assignments[2].share == Approx(problem.device.processor));
  CHECK(decision.memory_bytes == problem.device.memory_bytes);
}

TEST_CASE("numbers out of their ranges are refused") {
  Random random(4);
  const Problem good = random_problem(random, 2, 3);
  CHECK(check_problem(good, {}).ok());
  const auto text = [&](const std::function<void(Problem&, Options&)>& spoil) {
    Problem problem = good;
    Options options;
    spoil(problem, options);
    return check_problem(problem, options).text();
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THAT(text([&](Problem& p, Options&) { p.applications[0].capacities[0].latency_s = nan; }),
             ContainsSubstring("\"app\" has a capacity with numbers out of range"));
  CHECK_THAT(text([&](Problem& p, Options&) { p.applications[1].max_latency_s = 0; }),
             ContainsSubstring("wants a latency"));
  CHECK_THAT(text([&](Problem& p, Options&) { p.applications[1].min_accuracy = 90; }),
             ContainsSubstring("not from 0 to 1"));
  CHECK_THAT(text([&](Problem& p, Options&) { p.applications[1].capacities.clear(); }),
             ContainsSubstring("no capacities"));
  CHECK_THAT(text([&](Problem& p, Options&) { p.device.processor = nan; }),
             ContainsSubstring("processor"));
  CHECK_THAT(text([&](Problem& p, Options&) { p.device.accelerator = 1.5; }),
             ContainsSubstring("processor"));
  CHECK_THAT(text([&](Problem&, Options& o) { o.share_step = 0; }), ContainsSubstring("option"));
}
