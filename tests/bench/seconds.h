// How long something takes, by a clock that nobody sets.
#pragma once

#include <chrono>

namespace bench {

template <typename Work>
double seconds(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

template <typename Work>
double milliseconds(const Work& work) {
  return 1000 * seconds(work);
}

}  // namespace bench
