// What a causal package's larger capacity takes over from a smaller one that has just run: the maps
// of layers whose old channels do not see what was added. Only the new ones need computing.
#pragma once

#include <vector>

#include "runtime/stages.h"
#include "runtime/tensor.h"

namespace nestling::runtime {

// By stage, whether what a capacity has of its result is bit for bit what every larger one has
// there, and can be added to: a layer with dense weights, over more than one pixel, or one that
// computes every channel by itself. Such values keep a place of their own.
std::vector<bool> continued_stages(const PackageHeader& header, const std::vector<Stage>& stages);

// How the channels of a value lie at one capacity and at the next one.
struct Widening {
  struct Run {
    size_t from, to, channels;
  };
  std::vector<Run> runs;  // of channels that both have, in order
  size_t from_channels = 0, to_channels = 0;
};
Widening widening_of(const PackageHeader& header, uint32_t value, uint32_t capacity);

// Moves the channels of all pixels, in place: y is the value at the larger capacity.
void widen(const Widening& widening, const Tensor& y);

}  // namespace nestling::runtime
