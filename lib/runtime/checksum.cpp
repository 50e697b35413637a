#include "runtime/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace nestling::runtime {

uint64_t checksum(const void* data, size_t bytes) { return XXH3_64bits(data, bytes); }

}  // namespace nestling::runtime
