// Whether an application is as fast as its profile says.
#pragma once

#include <cmath>

namespace nestling::runtime {

// Follows the ratio of measured to profiled latency as an exponential mean of its logarithm, so
// that one inference that was held up tells little.
class Feedback {
 public:
  // The ratio that decisions use; 1 at first.
  double ratio() const { return ratio_; }

  // An inference took `measured_s` where the profile says `profiled_s`. True if the ratio departs
  // by more than a fifth from the one in use, and has for long enough to be believed: then that is
  // in use from now on.
  bool measured(double measured_s, double profiled_s) {
    if (!(measured_s > 0) || !(profiled_s > 0)) return false;
    const double now = std::log(measured_s / profiled_s);
    mean_ += (now - mean_) * (++count_ < kMemory ? 1.0 / count_ : 1.0 / kMemory);
    if (count_ < kMemory || std::abs(mean_ - std::log(ratio_)) < kDeparts) return false;
    ratio_ = std::exp(mean_);
    count_ = 0;  // the next one is as slow to come
    return true;
  }

 private:
  static constexpr int kMemory = 32;          // inferences
  static constexpr double kDeparts = 0.1823;  // the logarithm of 1.2
  double ratio_ = 1;
  double mean_ = 0;
  int count_ = 0;
};

}  // namespace nestling::runtime
