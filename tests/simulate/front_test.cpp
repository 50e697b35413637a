#include "simulate/front.h"

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
