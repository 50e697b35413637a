// The best shares of the processor for capacities that are chosen.
#pragma once

#include <vector>

#include "runtime/schedule.h"

namespace nestling::runtime {

// One application at one capacity: its cost is offset + slope max(0, latency / share - bound).
struct Curve {
  double offset = 0;   // priority (A_min - A)
  double slope = 0;    // priority alpha
  double latency = 0;  // alone
  double bound = 0;    // L_max

  double at(double share) const {
    const double late = slope > 0 ? latency / share - bound : 0;
    return offset + (late > 0 ? slope * late : 0);
  }
  // The share from which on more is of no use.
  double enough() const { return slope > 0 ? latency / bound : 0; }
  // The share at which the cost comes down to `cost`; infinite if it never does.
  double share_for(double cost) const;
};

// What of the processor is given out: a ten-thousandth of it is set aside for each application
// whose latency costs nothing.
double without_reserve(const std::vector<Curve>& curves, double processor);

Curve curve_of(const Application& application, const CapacityCost& capacity);

// Shares that sum to at most `processor` and minimise the sum of costs, or the highest cost. What
// is left over is spread evenly, as idle time is of no use.
std::vector<double> shares_for_total(const std::vector<Curve>& curves, double processor);
std::vector<double> shares_for_max(const std::vector<Curve>& curves, double processor);

}  // namespace nestling::runtime
