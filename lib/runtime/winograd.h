// Convolutions of 3x3 and stride 1 by tiles of 4x4 outputs: F(4x4, 3x3) of Lavin and Gray (arXiv
// 1509.09308), with 2.25 multiplications for an output instead of 9.
//
// Weights are transformed as they are needed, a few channels at a time: that costs no more than
// reading them transformed, which are four times as many, and a package stays as small as it is.
#pragma once

#include "runtime/kernels.h"

namespace nestling::runtime {

// Whether a convolution's kernel is one that can be computed so.
inline bool is_winograd(const NodeSpec& node) {
  for (size_t i = 0; i < 2; ++i) {
    if (node.kernel[i] != 3 || node.stride[i] != 1 || node.dilation[i] != 1) return false;
  }
  return true;
}

// Whether a convolution can be computed so, in no more memory than it has already.
bool winograd_fits(const ConvTask& task);

// Whether it should be: by what both ways cost.
bool winograd_pays(const ConvTask& task);

size_t winograd_tiles(const ConvTask& task);

// Parts of so many tiles leave no registers idle.
inline constexpr size_t kWinogradTiles = 12;

// How many tiles are computed together at most: weights are transformed anew for each block.
size_t winograd_block(const ConvTask& task);

// The floats that a thread needs for itself, aligned to a cache line; they begin with what is
// shared by those that compute one block.
size_t winograd_scratch(const ConvTask& task);

// Some tiles of y, in row-major order, at most winograd_block() of them.
struct WinogradBlock {
  size_t first, last;
};

// First the inputs of all of a block's tiles are transformed, to `shared`: here those of tiles
// first..last - 1 of y. Different ones may be computed by different threads at once.
void winograd_inputs(const ConvTask& task, const WinogradBlock& block, size_t first, size_t last,
                     float* shared);

// Then the groups of channels that conv_groups() counts, here first..last - 1, may be computed by
// different threads at once, each with scratch of its own, of which `shared` may be a part.
void winograd_groups(const ConvTask& task, const WinogradBlock& block, size_t first, size_t last,
                     float* shared, float* scratch);

}  // namespace nestling::runtime
