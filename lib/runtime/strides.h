// How far apart the pixels of images lie.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/parts.h"
#include "runtime/stages.h"
#include "runtime/tensor.h"

namespace nestling::runtime {

// How far apart pixels of so many channels should lie, in floats: those that a kernel reads
// together share sets of the first cache, and push each other out of it, if it is a large power of
// two.
inline uint32_t pixel_stride(uint32_t channels) {
  constexpr uint32_t kApart = 256;
  return channels + (channels % kApart == 0 ? static_cast<uint32_t>(kLine) : 0);
}

// In floats, by value; 0: pixels follow each other. They lie as far apart as pixel_stride() has
// them if everything that computes or reads them can do so. If the package is to be refined, all
// values of which that is true keep the places that they have at this capacity, the largest: each
// run of channels begins there at smaller ones, too, so that nothing need be moved. Of other wholes
// there are no `parts` then.
std::vector<uint32_t> pixel_strides(const PackageHeader& header, const std::vector<Stage>& stages,
                                    uint32_t capacity, bool refinable,
                                    std::vector<std::optional<Part>>& parts);

}  // namespace nestling::runtime
