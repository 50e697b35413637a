#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>

#include "runtime/schedule/methods.h"
#include "runtime/schedule/search.h"
#include "runtime/schedule/shares.h"

namespace nestling::runtime {
namespace {

// The capacities of each application that none of its others is better than in everything.
std::vector<std::vector<int>> worthwhile(const Problem& problem) {
  std::vector<std::vector<int>> result;
  for (const Application& application : problem.applications) {
    std::vector<int>& kept = result.emplace_back();
    const auto count = static_cast<int>(application.capacities.size());
    for (int k = 1; k <= count; ++k) {
      const CapacityCost& a = at(application, k);
      bool dominated = false;
      for (int other = 1; other <= count && !dominated; ++other) {
        const CapacityCost& b = at(application, other);
        const bool no_worse = b.accuracy >= a.accuracy && b.latency_s <= a.latency_s &&
                              b.memory_bytes <= a.memory_bytes;
        const bool same = b.accuracy == a.accuracy && b.latency_s == a.latency_s &&
                          b.memory_bytes == a.memory_bytes;
        dominated = no_worse && (!same || other < k);
      }
      if (!dominated) kept.push_back(k);
    }
  }
  return result;
}

using Parts = std::array<double, std::size(kProcessors)>;  // a number by processor

class Exact {
 public:
  Exact(const Problem& problem, const Options& options)
      : problem_(problem), options_(options), capacities_(worthwhile(problem)) {
    curves_.resize(capacities_.size());
    for (size_t i = 0; i < capacities_.size(); ++i) {
      for (const int k : capacities_[i]) {
        curves_[i].push_back(curve_of(problem.applications[i], at(problem.applications[i], k)));
      }
    }
    for (const Processor processor : kProcessors) {
      std::vector<Curve> smallest;  // what is reserved does not depend on capacities
      for (size_t i = 0; i < curves_.size(); ++i) {
        if (problem.applications[i].processor == processor) smallest.push_back(curves_[i].front());
      }
      if (smallest.empty()) continue;
      used_.push_back(index_of(processor));
      given_[used_.back()] = without_reserve(smallest, problem.device.part_of(processor));
    }
  }

  Chosen run() {
    Chosen best = choose_greedily(problem_, options_);
    if (best.capacities.empty()) return best;
    double cost = best_cost(problem_, options_.policy, best.capacities);
    if (options_.policy == Policy::min_max_cost) {
      halve(best, cost);
    } else {
      search_total(best, cost);
    }
    return best;
  }

 private:
  size_t processor_of(size_t application) const {
    return index_of(problem_.applications[application].processor);
  }

  // One item a capacity; `value(curve, processor)` may be infinite, which drops it. False if a list
  // is empty.
  template <typename Value>
  bool make_lists(Value value, Lists& lists) const {
    lists.assign(capacities_.size(), {});
    const auto memory = static_cast<double>(problem_.device.memory_bytes);
    for (size_t i = 0; i < capacities_.size(); ++i) {
      for (size_t c = 0; c < capacities_[i].size(); ++c) {
        const double worth = value(curves_[i][c], processor_of(i));
        if (!std::isfinite(worth)) continue;
        const CapacityCost& capacity = at(problem_.applications[i], capacities_[i][c]);
        lists[i].push_back({capacities_[i][c], worth,
                            memory > 0 ? static_cast<double>(capacity.memory_bytes) / memory : 0});
      }
      if (lists[i].empty()) return false;
    }
    return true;
  }

  // What a curve costs at its best share, if a whole processor costs `price`.
  static double priced(const Curve& curve, double price) {
    const double enough = curve.enough();
    double share = enough;
    if (price > 0) share = std::min(enough, std::sqrt(curve.slope * curve.latency / price));
    return (share > 0 ? curve.at(share) : curve.offset) + price * share;
  }

  // The highest multiplier of the memory that can be of use: what separates the items most.
  static double most_multiplier(const Lists& lists) {
    double most = 1;
    for (const auto& list : lists) {
      for (const Item& a : list) {
        for (const Item& b : list) {
          if (a.weight > b.weight)
            most = std::max(most, (b.value - a.value) / (a.weight - b.weight));
        }
      }
    }
    return std::min(most, 1e6);
  }

  static constexpr size_t kRounds = 3;

  void search_total(Chosen& best, double& cost) {
    Lists lists;
    double multiplier = 0, constant = 0;
    Parts prices{};
    // The bound is concave in the prices.
    const auto bound_now = [&] {
      make_lists([&](const Curve& curve, size_t p) { return priced(curve, prices[p]); }, lists);
      multiplier = best_multiplier(lists, most_multiplier(lists));
      constant = 0;
      for (const size_t p : used_) constant += prices[p] * given_[p];
      return lower_bound(lists, multiplier) - constant;
    };
    double bound = bound_now();
    const auto raise = [&](size_t p) {
      const auto bound_at = [&](double price) {
        prices[p] = price;
        return bound_now();
      };
      double low = 0, high = 1e-3, before = bound_at(0);
      for (int i = 0; i < 20; ++i) {  // until it falls
        const double next = bound_at(high);
        if (next < before) break;
        before = next;
        high *= 4;
      }
      for (int i = 0; i < 30; ++i) {
        const double a = low + (high - low) / 3, b = high - (high - low) / 3;
        if (bound_at(a) < bound_at(b)) {
          low = a;
        } else {
          high = b;
        }
      }
      bound = std::max(bound, bound_at((low + high) / 2));
    };
    // Where there are two, one after the other, and again, as the memory ties them together.
    for (size_t i = 0; i < (used_.size() < 2 ? 1 : kRounds); ++i) {
      for (const size_t p : used_) raise(p);
    }
    Search search(lists, multiplier, options_.max_nodes);
    double limit = cost - options_.tolerance + constant;
    const bool finished = search.run(limit, [&](const std::vector<int>& choice) {
      const double here = best_cost(problem_, options_.policy, choice);
      if (here < cost) {
        cost = here;
        best.capacities = choice;
        limit = cost - options_.tolerance + constant;
      }
      return false;
    });
    best.bound = finished ? std::max(bound, cost - options_.tolerance) : bound;
  }

  // Whether costs of at most `cost` are possible, and with which capacities.
  bool feasible(double cost, std::vector<int>& found, bool& sure) const {
    Lists lists;
    const auto part = [&](const Curve& curve, size_t p) {
      return curve.share_for(cost) / given_[p];
    };
    if (!make_lists(part, lists)) return false;
    const double multiplier = best_multiplier(lists, most_multiplier(lists));
    const auto limit = static_cast<double>(used_.size());  // of all processors together
    if (lower_bound(lists, multiplier) > limit) return false;
    bool is = false;
    Search search(lists, multiplier, options_.max_nodes);
    sure = search.run(limit + 1e-12, [&](const std::vector<int>& choice) {
      Parts sums{};
      for (size_t i = 0; i < choice.size(); ++i) {
        const Application& application = problem_.applications[i];
        const size_t p = processor_of(i);
        sums[p] += part(curve_of(application, at(application, choice[i])), p);
      }
      if (*std::max_element(sums.begin(), sums.end()) > 1) return false;
      found = choice;
      return is = true;
    });
    return is;
  }

  void halve(Chosen& best, double& cost) {
    // No application costs less than at its highest accuracy.
    double low = -std::numeric_limits<double>::infinity();
    for (const auto& curves : curves_) {
      double least = curves.front().offset;
      for (const Curve& curve : curves) least = std::min(least, curve.offset);
      low = std::max(low, least);
    }
    best.bound = low;
    while (cost - low > options_.tolerance) {
      const double middle = (low + cost) / 2;
      std::vector<int> found;
      bool sure = true;
      if (feasible(middle, found, sure)) {
        best.capacities = std::move(found);
        cost = std::min(middle, best_cost(problem_, options_.policy, best.capacities));
      } else {
        low = middle;
        if (sure) best.bound = middle;
      }
    }
  }

  const Problem& problem_;
  const Options& options_;
  std::vector<std::vector<int>> capacities_;  // by application
  std::vector<std::vector<Curve>> curves_;    // of them
  std::vector<size_t> used_;                  // the processors that somebody runs on
  Parts given_{};                             // of each, that is given out
};

}  // namespace

Chosen choose_exactly(const Problem& problem, const Options& options) {
  return Exact(problem, options).run();
}

}  // namespace nestling::runtime
