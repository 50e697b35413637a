// Convolutions of 3x3 and stride 1 by tiles of 4x4 outputs: F(4x4, 3x3) of Lavin and Gray (arXiv
// 1509.09308), with 2.25 multiplications for an output instead of 9.
//
// Weights are transformed as they are needed, a few channels at a time: that costs less than
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

// Whether a convolution can be computed so, and should be: by what both ways cost.
bool winograd_pays(const ConvTask& task);

size_t winograd_tiles(const ConvTask& task);

// Parts of so many tiles leave no registers idle.
inline constexpr size_t kWinogradTiles = 12;

// How many tiles are computed together at most: weights are transformed anew for each block.
size_t winograd_block(const ConvTask& task);

// The floats that a part needs for itself, aligned to a cache line.
size_t winograd_scratch(const ConvTask& task);

// Some tiles of y, in row-major order, at most a block of them; of them some of the groups of
// channels that conv_groups() counts.
struct WinogradPart {
  size_t first_tile, last_tile;
  size_t first_group, last_group;
};
// Different parts may be computed by different threads at once, each with scratch of its own.
void winograd(const ConvTask& task, const WinogradPart& part, float* scratch);

}  // namespace nestling::runtime
