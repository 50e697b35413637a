#include "runtime/schedule/shares.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nestling::runtime {
namespace {

constexpr int kHalvings = 60;
constexpr double kReserve = 1e-4;

void spread_rest(const std::vector<Curve>& curves, std::vector<double>& shares, double processor) {
  for (size_t i = 0; i < shares.size(); ++i) {
    if (curves[i].slope == 0) shares[i] = kReserve * processor;
  }
  double used = 0;
  for (const double share : shares) used += share;
  const double rest = std::max(0.0, processor - used) / static_cast<double>(shares.size());
  for (double& share : shares) share += rest;
}

}  // namespace

double without_reserve(const std::vector<Curve>& curves, double processor) {
  const auto idle = std::count_if(curves.begin(), curves.end(),
                                  [](const Curve& curve) { return curve.slope == 0; });
  return processor * (1 - kReserve * static_cast<double>(idle));
}

double Curve::share_for(double cost) const {
  if (cost < offset) return std::numeric_limits<double>::infinity();
  if (slope == 0) return 0;
  return latency / (bound + (cost - offset) / slope);
}

Curve curve_of(const Application& application, const CapacityCost& capacity) {
  return {application.priority * (application.min_accuracy - capacity.accuracy),
          application.priority * application.alpha, capacity.latency_s,
          application.latency_bound()};
}

// The sum of slope latency / share is least where its derivatives are equal: share is the square
// root of slope latency / lambda, but no more than is of use. lambda is found by halving.
std::vector<double> shares_for_total(const std::vector<Curve>& curves, double processor) {
  std::vector<double> shares(curves.size());
  const double most = without_reserve(curves, processor);
  const auto fill = [&](double lambda) {
    double sum = 0;
    for (size_t i = 0; i < curves.size(); ++i) {
      shares[i] =
          std::min(curves[i].enough(), std::sqrt(curves[i].slope * curves[i].latency / lambda));
      sum += shares[i];
    }
    return sum;
  };
  double low = 1e-12, high = 1e-12;  // fill falls with lambda
  if (fill(low) > most) {
    while (fill(high) > most) high *= 16;
    for (int i = 0; i < kHalvings; ++i) {
      const double middle = std::sqrt(low * high);
      (fill(middle) > most ? low : high) = middle;
    }
    fill(high);
  }
  spread_rest(curves, shares, processor);
  return shares;
}

std::vector<double> shares_for_max(const std::vector<Curve>& curves, double processor) {
  std::vector<double> shares(curves.size());
  const double most = without_reserve(curves, processor);
  const auto fill = [&](double cost) {
    double sum = 0;
    for (size_t i = 0; i < curves.size(); ++i) {
      shares[i] = curves[i].share_for(cost);
      sum += shares[i];
    }
    return sum;
  };
  double low = -std::numeric_limits<double>::infinity();  // below any cost that can be met
  for (const Curve& curve : curves) low = std::max(low, curve.offset);
  double step = 1e-6, high = low;
  while (fill(high) > most) {
    low = high;
    high += step;
    step *= 4;
  }
  for (int i = 0; i < kHalvings && high - low > 1e-12; ++i) {
    const double middle = (low + high) / 2;
    (fill(middle) > most ? low : high) = middle;
  }
  fill(high);
  spread_rest(curves, shares, processor);
  return shares;
}

}  // namespace nestling::runtime
