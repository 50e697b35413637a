// How one capacity of a package runs: where every activation and every block of weights lies.
#pragma once

#include <vector>

#include "runtime/continuation.h"
#include "runtime/operator.h"
#include "runtime/places.h"
#include "runtime/segments.h"

namespace nestling::runtime {

// In which convolutions are computed on this processor, but for those for which something else is
// faster.
WeightType arithmetic_of(const PackageHeader& header);

// How a step goes on from what the capacity below has left in its result.
struct Continuation {
  bool continues = false;   // otherwise the step runs as ever
  Widening widening;        // of no channels where nothing has to move
  std::vector<Step> added;  // the step with only the new output channels, if there are any
};

struct Plan {
  std::vector<Step> steps;
  std::vector<Tensor> inputs, outputs;
  std::vector<Continuation> continuations;  // by step, if the layout is refinable
};

// Offsets, in floats, in the one arena of `capacity`; `floats` is its size. A refinable layout has
// place for the plans of all capacities up to that one.
struct ArenaLayout {
  uint32_t capacity = 0;
  bool refinable = false;
  std::vector<Stage> stages;
  Places values;
  uint64_t zeros = 0;  // where the kernels' zeros lie
  uint64_t zeros_floats = 0;
  // By capacity, where what belongs to the channels of layers is gathered.
  std::vector<uint64_t> constants;
  uint64_t scratch = 0;  // where that of the threads lies
  uint64_t floats = 0;
  Methods methods;  // the same at every capacity
};
// Dense layers are computed as `wanted` says where they can be, and the others, or all if it is
// empty, as costs less by the sizes of layers. With `pairs` layers share a stage (stages_of), if
// the layout is not refinable, as maps that are gone on from must be there.
ArenaLayout lay_out(const PackageHeader& header, uint32_t capacity, size_t threads, bool refinable,
                    bool pairs, const Methods& wanted = {});

// The segments up to `capacity`, which is the layout's or, if that is refinable, one below, must be
// paged in and stay so as long as the plan is used.
Plan make_plan(const Segments& segments, uint32_t capacity, const ArenaLayout& layout,
               float* arena);

}  // namespace nestling::runtime
