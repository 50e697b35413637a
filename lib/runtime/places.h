// Where the activations of a package lie in memory.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/stages.h"

namespace nestling::runtime {

// In floats. A value's place is free again after its last use, and a result lies over an input that
// nobody needs any more where its operator allows that. Parts (parts.h) lie in their wholes.
struct Places {
  std::vector<uint64_t> offsets;  // by value; of those that stages compute, and of the inputs
  std::vector<uint32_t> strides;  // of images' pixels, by value; 0: they follow each other
  uint64_t floats = 0;            // of all together
  // The most that is there at once: with these results over inputs no places take fewer.
  uint64_t least = 0;
};

// At `capacity`, or, if the package is to be refined, at any up to that: then all values have
// places of their own, those that are continued (continuation.h) through the whole inference.
Places place_values(const PackageHeader& header, const std::vector<Stage>& stages,
                    uint32_t capacity, bool refinable);

}  // namespace nestling::runtime
