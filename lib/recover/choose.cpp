#include "recover/choose.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace nestling {
namespace {

double macs(const Roadmap& roadmap, int entry) {
  return static_cast<double>(roadmap.entries[static_cast<size_t>(entry)].macs);
}

double latency(const Roadmap& roadmap, int entry) {
  const std::optional<double> measured = roadmap.entries[static_cast<size_t>(entry)].latency_ms;
  if (!measured) {
    fail("the roadmap says nothing of latencies; nestling-prune --target-latency-ms measures them");
  }
  return *measured;
}

// From the seed up; each takes the entry that is nearest to its share of the cost, and leaves
// enough for those to come.
std::vector<int> even_in(double (&cost)(const Roadmap&, int), const Roadmap& roadmap,
                         int capacities) {
  const int seed = static_cast<int>(roadmap.entries.size()) - 1;
  const double least = cost(roadmap, seed), most = cost(roadmap, 0);
  std::vector<int> chosen = {seed};
  for (int k = 1; k + 1 < capacities; ++k) {
    const double wanted = least + (most - least) * k / (capacities - 1);
    int best = chosen.back() - 1;
    for (int entry = best; entry >= capacities - 1 - k; --entry) {
      if (std::abs(cost(roadmap, entry) - wanted) < std::abs(cost(roadmap, best) - wanted)) {
        best = entry;
      }
    }
    chosen.push_back(best);
  }
  chosen.push_back(0);
  return chosen;
}

// A budget gets the largest capacity within it: entry e serves those from its own MACs to the next
// chosen one's. best[k][e] is the most that k further capacities above e make of the budgets above
// e's, the last of them the vanilla model.
std::vector<int> highest_mean_accuracy(const Roadmap& roadmap, int capacities) {
  const int seed = static_cast<int>(roadmap.entries.size()) - 1;
  const auto count = static_cast<size_t>(seed + 1);
  const auto more = static_cast<size_t>(capacities - 1);
  std::vector<std::vector<double>> best(more + 1, std::vector<double>(count, -1));
  std::vector<std::vector<int>> next(more + 1, std::vector<int>(count, -1));
  best[0][0] = 0;
  for (size_t k = 1; k <= more; ++k) {
    for (int e = 1; e <= seed; ++e) {
      const auto at = static_cast<size_t>(e);
      for (int larger = 0; larger < e; ++larger) {
        const double rest = best[k - 1][static_cast<size_t>(larger)];
        if (rest < 0) continue;
        const double total =
            rest + (macs(roadmap, larger) - macs(roadmap, e)) * roadmap.entries[at].accuracy;
        if (total <= best[k][at]) continue;
        best[k][at] = total;
        next[k][at] = larger;
      }
    }
  }
  std::vector<int> chosen = {seed};
  for (size_t k = more; k > 0; --k) chosen.push_back(next[k][static_cast<size_t>(chosen.back())]);
  return chosen;
}

}  // namespace

const char* spread_name(Spread spread) {
  return spread == Spread::macs ? "macs" : spread == Spread::latency ? "latency" : "accuracy";
}

Spread spread_from_name(const std::string& name) {
  for (const Spread spread : {Spread::macs, Spread::latency, Spread::accuracy}) {
    if (name == spread_name(spread)) return spread;
  }
  fail("there is no spread {}; there are macs, latency and accuracy", name);
}

std::vector<int> choose_entries(const Roadmap& roadmap, int capacities, Spread spread) {
  const auto count = static_cast<int>(roadmap.entries.size());
  if (capacities < 1 || capacities > count) {
    fail(
        "the roadmap has {} entries, too few for {} capacities; prune in smaller steps, or ask for "
        "fewer",
        count, capacities);
  }
  if (capacities == 1) return {0};
  switch (spread) {
    case Spread::macs:
      return even_in(macs, roadmap, capacities);
    case Spread::latency:
      return even_in(latency, roadmap, capacities);
    case Spread::accuracy:
      return highest_mean_accuracy(roadmap, capacities);
  }
  return {};
}

}  // namespace nestling
