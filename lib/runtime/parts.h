// Values that are parts of the channels of others, so that nothing need be copied: what is
// concatenated, and what is cut out.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/stages.h"

namespace nestling::runtime {

// Lies in the channels of the image `whole` from `first` on.
struct Part {
  uint32_t whole;  // a value, which may itself be a part
  uint32_t first;
};

// By value, whether it is an image and all that computes or reads it knows how far apart pixels are
// (Operator::strided).
std::vector<bool> strided_values(const PackageHeader& header, const std::vector<Stage>& stages,
                                 uint32_t capacity);

// By value. Everything that computes or reads a part can do so where it lies.
std::vector<std::optional<Part>> parts_of(const PackageHeader& header,
                                          const std::vector<Stage>& stages, uint32_t capacity);

// Of what the value is a part in the end, and where: of itself, if it is none.
Part whole_of(const std::vector<std::optional<Part>>& parts, uint32_t value);

}  // namespace nestling::runtime
