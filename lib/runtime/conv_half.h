// Convolutions that are computed in float16, on processors that do so (Armv8.2's FEAT_FP16: phones'
// since 2018): twice as many numbers a vector. Sums of at most kHalfSteps products are float16,
// those of such sums float32, so that what is lost does not grow with the length of a reduction.
// Inputs of more than 65504 become infinite.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/kernels.h"

// Where there may be such processors, and the compiler has functions for them in programs for all;
// elsewhere nothing of this is there.
#if defined(__ARM_FEATURE_FP16_VECTOR_ARITHMETIC)
#define NESTLING_HALVES 1
#elif defined(__aarch64__) && defined(__linux__) && \
    (!defined(__clang_major__) || __clang_major__ >= 16)
#define NESTLING_HALVES 1
#else
#define NESTLING_HALVES 0
#endif

namespace nestling::runtime {

inline constexpr bool kHalves = NESTLING_HALVES;

inline constexpr size_t kHalfSteps = 128;

// Whether this processor does.
bool computes_halves();

// Whether a layer with float16 weights is better computed so than by conv(), where the processor
// can: not the first one, whose channels are few, nor one of a single pixel, whose weights are used
// once.
bool half_pays(const ConvTask& task);

// The inputs as float16, [pixel][channel]: how many floats they take, and pixels first..last - 1 of
// them, which different threads may convert at once.
size_t half_floats(const ConvTask& task);
void half_inputs(const ConvTask& task, size_t first, size_t last, uint16_t* halves);

// Pixels are computed in tiles of so many, parts are of at most kConvTiles of them.
inline constexpr size_t kHalfTile = 8;

// A part of y, like conv(): a group is two panels.
size_t half_groups(const ConvTask& task);
size_t half_scratch(const ConvTask& task);  // of a thread, in floats
void conv_half(const ConvTask& task, const ConvPart& part, const uint16_t* halves, float* scratch);

}  // namespace nestling::runtime
