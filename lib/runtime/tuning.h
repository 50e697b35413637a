// How a device computes convolutions fastest: measured once, and kept in a file. What plan.h goes
// by otherwise, the sizes of layers, cannot know how many multiplications a processor begins in a
// cycle and how fast it reads weights meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/engine.h"

namespace nestling::runtime {

// What was measured for a package, a capacity, some threads and an instruction set.
uint64_t tuning_key(const PackageHeader& header, uint32_t capacity, size_t threads);

// Not thread-safe; several processes may have the same file, and lose at most what another of them
// measured meanwhile.
class Tuning {
 public:
  // Of a file that is missing or damaged nothing is known.
  explicit Tuning(std::string file) : file_(std::move(file)) {}

  // Empty: not known. Only then is the file read again.
  Methods find(uint64_t key);
  // Writes the file; if that cannot be it fails, and only this object knows.
  Status keep(uint64_t key, const Methods& methods);

 private:
  struct Known {
    uint64_t key;
    Methods methods;
  };
  std::vector<Known> read() const;
  const Methods* known(uint64_t key) const;  // null: not in this object

  std::string file_;
  std::vector<Known> known_;  // what was read or kept
};

// Runs the engine's capacity some twenty times, by each way of computing it, and returns which was
// fastest for each node. The engine is left at that capacity, or, if it fails, at none.
Result<Methods> fastest_methods(Engine& engine, const ThreadPool& pool);

}  // namespace nestling::runtime
