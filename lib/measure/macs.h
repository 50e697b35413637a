// Multiply-accumulates of a package's nodes.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/package_format.h"

namespace nestling {

// Of every node's weights: each block meets every pixel of the output. 0 for nodes without any.
std::vector<uint64_t> macs_of(const runtime::PackageHeader& header, uint32_t capacity);

}  // namespace nestling
