// Random numbers that are the same on every machine: the standard library's distributions and
// shuffle differ between vendors.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numbers>
#include <utility>
#include <vector>

namespace nestling {

// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

  // Uniform in [0, bound); bound > 0. The bias of the reduction is below 2^-32 for bound < 2^32.
  uint64_t below(uint64_t bound) { return next() % bound; }

  // Uniform in [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  // Standard normal (Box-Muller).
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  uint64_t state_;
};

// An independent seed for one part of a run, such as {entry, epoch}: a run that is continued draws
// the same numbers as one that was never stopped.
inline uint64_t sub_seed(uint64_t seed, std::initializer_list<uint64_t> path) {
  for (const uint64_t part : path) {
    Random mix(seed ^ (part * 0xd1342543de82ef95U));
    mix.next();
    seed = mix.next();
  }
  return seed;
}

}  // namespace nestling
