// Reading and checking the header of a package.
#pragma once

#include <cstddef>

#include "runtime/package_format.h"
#include "runtime/status.h"

namespace nestling::runtime {

// ok if every index, shape, width and size fits the others, activations stay within the limits, and
// segments are as long as their blocks and lie within `file_bytes`. What passes may be executed
// without further checks.
Status check_header(const PackageHeader& header, uint64_t file_bytes);

// Decodes the protobuf bytes of a header and checks it.
Result<PackageHeader> read_header(const char* data, size_t size, uint64_t file_bytes);

}  // namespace nestling::runtime
