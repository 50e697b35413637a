#include "runtime/schedule/search.h"

#include <numeric>

namespace nestling::runtime {

double best_multiplier(const Lists& lists, double most) {
  constexpr double kGolden = 0.6180339887498949;
  double low = 0, high = most;
  double left = high - kGolden * (high - low), right = low + kGolden * (high - low);
  double at_left = lower_bound(lists, left), at_right = lower_bound(lists, right);
  for (int i = 0; i < 40; ++i) {
    if (at_left < at_right) {
      low = left;
      left = right;
      at_left = at_right;
      right = low + kGolden * (high - low);
      at_right = lower_bound(lists, right);
    } else {
      high = right;
      right = left;
      at_right = at_left;
      left = high - kGolden * (high - low);
      at_left = lower_bound(lists, left);
    }
  }
  const double middle = (low + high) / 2;
  return lower_bound(lists, 0) >= lower_bound(lists, middle) ? 0 : middle;
}

Search::Search(Lists lists, double multiplier, int max_nodes)
    : lists_(std::move(lists)),
      multiplier_(multiplier),
      nodes_(max_nodes),
      order_(lists_.size()),
      choice_(lists_.size()),
      bound_behind_(lists_.size() + 1),
      weight_behind_(lists_.size() + 1) {
  const auto reduced = [&](const Item& item) { return item.value + multiplier_ * item.weight; };
  for (auto& list : lists_) {
    std::sort(list.begin(), list.end(),
              [&](const Item& a, const Item& b) { return reduced(a) < reduced(b); });
  }
  // The lists whose best item stands out most come first: a wrong choice there is seen at once.
  std::iota(order_.begin(), order_.end(), size_t{0});
  const auto gap = [&](size_t i) {
    return lists_[i].size() < 2 ? 1e300 : reduced(lists_[i][1]) - reduced(lists_[i][0]);
  };
  std::sort(order_.begin(), order_.end(),
            [&](size_t a, size_t b) { return gap(a) != gap(b) ? gap(a) > gap(b) : a < b; });
  Lists ordered;
  for (const size_t i : order_) ordered.push_back(lists_[i]);
  lists_ = std::move(ordered);
  for (size_t i = lists_.size(); i-- > 0;) {
    double lightest = lists_[i].front().weight;
    for (const Item& item : lists_[i]) lightest = std::min(lightest, item.weight);
    bound_behind_[i] = bound_behind_[i + 1] + reduced(lists_[i].front());
    weight_behind_[i] = weight_behind_[i + 1] + lightest;
  }
}

}  // namespace nestling::runtime
