// What runs: the nodes of a package, where two that follow each other in memory become one.
#pragma once

#include <cmath>
#include <optional>
#include <vector>

#include "runtime/package_format.h"

namespace nestling::runtime {

// A node, with what the node after it does to its result.
enum class Then {
  nothing,
  add,       // an addend of the same shape, the last input of the stage
  multiply,  // by the only input: x sigmoid(x)
};

struct Stage {
  uint32_t node;
  std::vector<uint32_t> inputs;  // values
  uint32_t output;               // value
  float low, high;               // bounds of the result
  Then then = Then::nothing;
  // The depthwise convolution, a node, whose result only this 1x1 convolution reads: its input is
  // the first of the stage, and no more of its result is there than a thread needs at a time.
  std::optional<uint32_t> depthwise = std::nullopt;

  // Whether the `i`-th input is what is added.
  bool is_addend(size_t i) const { return then == Then::add && i + 1 == inputs.size(); }
};

// Whether anything is clamped.
inline bool is_bounded(float low, float high) { return std::isfinite(low) || std::isfinite(high); }

// In the order in which they run. A convolution takes in the addition of a residual that is there
// already, a function of one element the multiplication by its input; and, if `pairs`, a 1x1
// convolution of large images the depthwise one before it.
std::vector<Stage> stages_of(const PackageHeader& header, bool pairs);

}  // namespace nestling::runtime
