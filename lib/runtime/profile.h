// What the scheduler asks of a profile (schemas/profile.schema.json).
#pragma once

#include <vector>

#include "runtime/export.h"
#include "runtime/schedule.h"
#include "runtime/status.h"

namespace nestling::runtime {

// The capacities of a file of nestling-profile, the smallest first. Latencies are medians, memory
// is weights and activations. Of the file, which may be anybody's, at most 1 MiB is read.
NESTLING_API Result<std::vector<CapacityCost>> read_profile(const char* path);

}  // namespace nestling::runtime
