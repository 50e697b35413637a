#include "runtime/arena.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdint>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

using nestling::runtime::Arena;

namespace {

constexpr uint64_t kHugePage = uint64_t{2} << 20;

uint64_t address_of(const Arena& arena) { return reinterpret_cast<uintptr_t>(arena.data()); }

// Whether a process that writes there is stopped.
bool stops_who_writes(volatile float* where) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (const int signal : {SIGSEGV, SIGBUS}) ::signal(signal, SIG_DFL);
    *where = 1;
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
}

}  // namespace

TEST_CASE("an arena is zeros up to a page that nobody may touch, and can be huge pages") {
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  for (const uint64_t bytes : {uint64_t{64}, page, page + 64, kHugePage - 64, kHugePage,
                               3 * kHugePage + 64, 8 * kHugePage}) {
    CAPTURE(bytes);
    Arena arena(bytes);
    REQUIRE(arena.data() != nullptr);
    CHECK(arena.bytes() == bytes);
    CHECK(address_of(arena) % 64 == 0);
    CHECK((address_of(arena) + bytes) % page == 0);
    if (bytes >= kHugePage) CHECK(address_of(arena) / page * page % kHugePage == 0);
    const uint64_t floats = bytes / sizeof(float);
    bool zeros = true;
    for (uint64_t i = 0; i < floats; ++i) zeros = zeros && arena.data()[i] == 0;
    CHECK(zeros);
    CHECK(stops_who_writes(arena.data() + floats));
    arena.data()[floats - 1] = 1;
    const Arena moved(std::move(arena));
    CHECK(moved.data()[floats - 1] == 1);
  }
}

TEST_CASE("an arena of more than there is has no data") {
  CHECK(Arena(uint64_t{1} << 62).data() == nullptr);
}
