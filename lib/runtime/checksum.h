// The checksum of a package's header and of each of its segments.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nestling::runtime {

// XXH64 with seed 0. `data` may be null only where `bytes` is 0.
uint64_t checksum(const void* data, size_t bytes);

}  // namespace nestling::runtime
