// Weights as float16, as packages and ncnn's files have them.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/float16.h"

namespace nestling {

// The nearest of each. Throws Error with the name of the weights if one is too large.
inline std::vector<uint16_t> float16_weights(const std::vector<float>& weights,
                                             const std::string& name) {
  std::vector<uint16_t> halves;
  halves.reserve(weights.size());
  for (const float weight : weights) {
    if (!(std::fabs(weight) < kFloat16Overflow)) {
      fail("\"{}\" has the weight {}, too large for float16", name, weight);
    }
    halves.push_back(to_float16(weight));
  }
  return halves;
}

}  // namespace nestling
