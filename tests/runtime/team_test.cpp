#include "runtime/team.h"

#include <atomic>
#include <vector>

#include "support/catch.h"

#include "base/random.h"

namespace nestling::runtime {
namespace {

struct Calls {
  explicit Calls(size_t count) : of(count) {}
  std::vector<std::atomic<int>> of;
};

void call(void* calls, size_t i) {
  static_cast<Calls*>(calls)->of[i].fetch_add(1, std::memory_order_relaxed);
}

TEST_CASE("a team does each part once, awake or rested, with more threads than processors") {
  nestling::Random random(7);
  for (const size_t threads : {1, 2, 3, 16}) {
    Team team(threads);
    team.rest();  // before there was anything to do
    for (int round = 0; round < 300; ++round) {
      CAPTURE(threads, round);
      Calls calls(random.below(40));
      team.run(calls.of.size(), call, &calls);
      for (const std::atomic<int>& once : calls.of) REQUIRE(once.load() == 1);
      if (random.below(4) == 0) team.rest();
      if (random.below(16) == 0) team.rest();
    }
  }
}

TEST_CASE("what a team's threads wrote is there for those of the next call") {
  Team team(4);
  struct Numbers {
    std::vector<uint64_t> from, to;
  } numbers{std::vector<uint64_t>(64, 1), std::vector<uint64_t>(64)};
  for (int round = 0; round < 40; ++round) {
    team.run(
        numbers.to.size(),
        [](void* given, size_t i) {
          Numbers& n = *static_cast<Numbers*>(given);
          n.to[i] = n.from[i] + n.from[(i + 21) % n.from.size()];  // another thread's
        },
        &numbers);
    std::swap(numbers.from, numbers.to);
  }
  for (const uint64_t number : numbers.from) REQUIRE(number == uint64_t{1} << 40);
}

TEST_CASE("teams come and go") {
  for (int i = 0; i < 50; ++i) {
    Team idle(3);
    Team used(2);
    Calls calls(5);
    used.run(calls.of.size(), call, &calls);
    if (i % 2 == 0) used.rest();
  }
}

}  // namespace
}  // namespace nestling::runtime
