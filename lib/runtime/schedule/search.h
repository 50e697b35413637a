// A choice of one item each of several lists, of limited weight together and least value: branch
// and bound with a Lagrangian bound.
#pragma once

#include <algorithm>
#include <vector>

namespace nestling::runtime {

struct Item {
  int capacity = 0;
  double value = 0;
  double weight = 0;  // in units of the limit, which is 1
};
using Lists = std::vector<std::vector<Item>>;

// No choice that fits has a value below this, for any multiplier >= 0 of the weight.
inline double lower_bound(const Lists& lists, double multiplier) {
  double sum = -multiplier;
  for (const auto& list : lists) {
    double least = list.front().value + multiplier * list.front().weight;
    for (const Item& item : list) least = std::min(least, item.value + multiplier * item.weight);
    sum += least;
  }
  return sum;
}

// The multiplier with the highest bound, by golden sections (the bound is concave); `most` is an
// upper limit of it.
double best_multiplier(const Lists& lists, double most);

class Search {
 public:
  // Lists are sorted here; none may be empty.
  Search(Lists lists, double multiplier, int max_nodes);

  // Calls leaf(choice), a capacity by list, for the choices that fit and whose bound is below
  // `limit`, the most promising first, until it returns true; `limit` may fall meanwhile. Returns
  // false if it was given up after max_nodes.
  template <typename Leaf>
  bool run(const double& limit, Leaf leaf) {
    descend(0, -multiplier_, 0, limit, leaf);
    return nodes_ > 0;
  }

 private:
  template <typename Leaf>
  bool descend(size_t at, double bound, double weight, const double& limit, Leaf& leaf) {
    if (at == lists_.size()) return leaf(choice_);
    for (const Item& item : lists_[at]) {
      const double next = bound + item.value + multiplier_ * item.weight;
      if (next + bound_behind_[at + 1] >= limit) break;  // those behind are no better
      if (weight + item.weight + weight_behind_[at + 1] > 1 + 1e-12) continue;
      if (--nodes_ <= 0) return true;
      choice_[order_[at]] = item.capacity;
      if (descend(at + 1, next, weight + item.weight, limit, leaf)) return true;
    }
    return false;
  }

  Lists lists_;
  double multiplier_;
  int nodes_;
  std::vector<size_t> order_;  // where in the choice a list's capacity stands
  std::vector<int> choice_;
  std::vector<double> bound_behind_, weight_behind_;  // the least of all lists from one on
};

}  // namespace nestling::runtime
