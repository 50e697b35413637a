// Where the activations of a package lie in memory.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/stages.h"

namespace nestling::runtime {

// In floats. A value's place is free again after its last use, and a result lies over an input that
// nobody needs any more where its operator allows that. Parts (parts.h) lie in their wholes.
struct Places {
  uint32_t capacity = 0;          // that they are for, the largest of a package to be refined
  std::vector<uint64_t> offsets;  // by value; of those that stages compute, and of the inputs
  std::vector<uint32_t> strides;  // of images' pixels, by value; 0: they follow each other
  uint64_t floats = 0;            // of all together
  // The most that is there at once: with these results over inputs no places take fewer.
  uint64_t least = 0;

  // Of an axis of channels at a capacity, of a value with these strides: where its `slot`-th run
  // begins, and how many places there are up to the end of the last one. Where pixels have a
  // stride, runs begin where they do at the largest capacity.
  size_t first_channel(const PackageHeader& header, uint32_t value, uint32_t slot,
                       uint32_t at) const;
  uint32_t channels(const PackageHeader& header, uint32_t value, uint32_t at) const;
};

// At `capacity`, or, if the package is to be refined, at any up to that: then all values have
// places of their own, those that are continued (continuation.h) through the whole inference.
Places place_values(const PackageHeader& header, const std::vector<Stage>& stages,
                    uint32_t capacity, bool refinable);

}  // namespace nestling::runtime
