#include "simulate/front.h"

#include <cmath>

#include "support/catch.h"

using nestling::FrontGain;
using nestling::Service;
using nestling::Simulation;

namespace {

// Of one application over a second.
Simulation point(double frames, double accuracy) {
  Service service;
  service.running_s = service.served_s = 1;
  service.frames = frames;
  service.accuracy = accuracy;
  return {{service}, {}, 0, 0};
}

}  // namespace

TEST_CASE("the gain over a front is the largest, at equal frames and at equal accuracy") {
  // {150, 0.5} is worse than {200, 0.6} in both.
  const std::vector<Simulation> baseline = {point(100, 0.8), point(200, 0.6), point(150, 0.5)};
  const FrontGain gain = nestling::gain_over(baseline, {point(150, 0.78), point(180, 0.7)});
  CHECK(gain.accuracy == Approx(0.78 - 0.703));  // at 148.5 frames
  CHECK(gain.frames == Approx(150 / 110.5));     // at 0.779
  const FrontGain none = nestling::gain_over(baseline, {point(150, 0.69), point(210, 0.9)});
  CHECK(none.accuracy == 0);  // below the line, and beyond its end
  CHECK(none.frames == 1);
  CHECK(nestling::gain_over({}, baseline).frames == 1);
}

TEST_CASE("a percent of frames is not what a gain is made of") {
  const std::vector<Simulation> steep = {point(100, 0.8), point(100.5, 0.5)};
  CHECK(nestling::gain_over(steep, {point(100.4, 0.79)}).accuracy == 0);
}

namespace {

// Six applications, two of which always run, and all in every second half minute, when others leave
// `left` of the processor. Accuracy grows with the logarithm of latency, from 0.1 to 12.8 ms. In
// quiet times two of the largest capacities just have their frame rate.
nestling::Workload bursts(double left) {
  constexpr int kCapacities = 15;
  nestling::WorkloadApplication one;
  one.goals.min_accuracy = 0.8;
  one.goals.frame_rate = 39;
  one.goals.max_latency_s = 1 / one.goals.frame_rate;
  one.goals.alpha = 5;
  for (int k = 0; k < kCapacities; ++k) {
    const double part = static_cast<double>(k) / (kCapacities - 1);
    one.goals.capacities.push_back({0.55 + 0.25 * part, 1e-4 * std::pow(128, part), 1000, 0});
    one.page_in_bytes.push_back(1000);
    one.energy.emplace_back();
  }
  nestling::Workload workload;
  workload.duration_s = 600;
  workload.device = {1U << 30, 1};
  for (int i = 0; i < 6; ++i) {
    one.goals.name = std::string(1, static_cast<char>('a' + i));
    workload.applications.push_back(one);
  }
  using Kind = nestling::Event::Kind;
  for (size_t i = 0; i < 2; ++i) {
    workload.events.push_back({.kind = Kind::start, .application = i});
  }
  for (int half = 1; half < 20; ++half) {
    const double at = 30.0 * half;
    const bool burst = half % 2 == 1;
    workload.events.push_back({.at_s = at, .kind = Kind::processor, .processor = burst ? left : 1});
    for (size_t i = 2; i < 6; ++i) {
      workload.events.push_back(
          {.at_s = at, .kind = burst ? Kind::start : Kind::stop, .application = i});
    }
  }
  return workload;
}

double gain_in_frames(double left) {
  std::vector<Simulation> fixed, ours;
  for (int k = 1; k <= 15; ++k) {
    fixed.push_back(nestling::simulate(
        bursts(left), {.policy = nestling::runtime::Policy::fixed, .fixed_capacity = k}));
  }
  for (const double weight : {0.1, 0.3, 1.0, 3.0, 10.0}) {
    nestling::Workload workload = bursts(left);
    for (auto& one : workload.applications) one.goals.alpha *= weight;
    ours.push_back(nestling::simulate(workload, {}));
  }
  return nestling::gain_over(fixed, ours).frames;
}

}  // namespace

TEST_CASE("the frames that are gained at equal accuracy are what contention allows") {
  // docs/results.md: an application has R times less of the processor in a burst, w of the work.
  const double w = 0.75;
  for (const double left : {0.3, 0.1, 0.05, 0.03}) {
    const double ratio = 3 / left, slower = std::pow(ratio, 1 - w);
    const double most = 1 / (w / slower + 1 - w);
    INFO("R " << ratio << ", at most " << most);
    const double gain = gain_in_frames(left);
    CHECK(gain < 1.03 * most);
    CHECK(gain > 0.95 * most);
  }
  CHECK(gain_in_frames(0.03) > 1.95);
}
