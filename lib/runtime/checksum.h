// The checksum of a package's header and of each of its segments.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nestling::runtime {

// XXH3 of 64 bits. `data` may be null only where `bytes` is 0.
uint64_t checksum(const void* data, size_t bytes);

}  // namespace nestling::runtime
