// How one capacity of a package runs: where every activation and every block of weights lies.
#pragma once

#include <vector>

#include "runtime/operator.h"
#include "runtime/segments.h"

namespace nestling::runtime {

struct Plan {
  std::vector<Step> steps;
  std::vector<Tensor> inputs, outputs;
};

// Offsets, in floats, of all values in one arena at `capacity`: a value's place is free again after
// its last use. `floats` is the arena's size, with kSlack behind every value.
struct ArenaLayout {
  std::vector<uint64_t> offsets;  // by value
  uint64_t zeros = 0;             // where the kernels' zeros lie
  uint64_t zeros_floats = 0;
  uint64_t constants = 0;  // where what belongs to the channels of layers is gathered
  uint64_t scratch = 0;    // where that of the threads lies
  uint64_t floats = 0;
};
ArenaLayout lay_out(const PackageHeader& header, uint32_t capacity, size_t threads);

// The segments up to `capacity` must be paged in and stay so as long as the plan is used.
Plan make_plan(const Segments& segments, uint32_t capacity, const ArenaLayout& layout,
               float* arena);

}  // namespace nestling::runtime
