// The instruction sets that kernels are compiled for: before any header of Highway.
#pragma once

// Vectors of a length that the compiler does not know cannot stand in arrays; such processors run
// the NEON code, or the scalar one.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
