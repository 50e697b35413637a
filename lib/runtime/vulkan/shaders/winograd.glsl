// Convolutions of 3x3 and stride 1 by tiles of 4x4 outputs, F(4x4, 3x3) of Lavin and Gray (arXiv
// 1509.09308), with the points of the CPU's (runtime/winograd.cpp): transformed inputs
// [place][tile][channel] and weights [place][row][16 output channels] become sums
// [place][tile][output channel] in the scratch.
#include "memory.glsl"

const uint kOutputs = 4;  // of a tile, in each direction
const uint kInputs = 6;   // that these see: 6x6 places
const uint kGroup = 16;   // output channels of an item
const float kA = 0.70710678118654752, kB = 1.41421356237309505;
