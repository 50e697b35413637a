// What one inference reads and writes, and what many take.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/model.h"

namespace nestling {

// Buffers for all inputs and outputs of a model; the inputs are grey.
class Frame {
 public:
  explicit Frame(const runtime::Model& model) {
    for (size_t i = 0; i < model.header().inputs.size(); ++i) {
      from_.push_back(inputs_.emplace_back(model.input_floats(i), 0.5F).data());
    }
    for (size_t i = 0; i < model.header().outputs.size(); ++i) {
      to_.push_back(outputs_.emplace_back(model.output_floats(i)).data());
    }
  }
  const float* const* inputs() const { return from_.data(); }
  float* const* outputs() const { return to_.data(); }

 private:
  std::vector<std::vector<float>> inputs_, outputs_;
  std::vector<const float*> from_;
  std::vector<float*> to_;
};

// The time that a share `q` of them does not exceed. Changes their order.
inline double quantile(std::vector<double>& times, double q) {
  const auto at = std::lround(q * static_cast<double>(times.size() - 1));
  std::nth_element(times.begin(), times.begin() + at, times.end());
  return times[static_cast<size_t>(at)];
}

}  // namespace nestling
