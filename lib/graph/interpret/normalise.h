// What InstanceNorm and LayerNorm have in common.
#pragma once

#include <cmath>
#include <cstddef>

namespace nestling {

// y = (x - mean) / sqrt(variance + epsilon) over `count` elements.
inline void normalise(const float* x, size_t count, float epsilon, float* y) {
  double mean = 0, variance = 0;
  for (size_t i = 0; i < count; ++i) mean += x[i];
  mean /= static_cast<double>(count);
  for (size_t i = 0; i < count; ++i) variance += (x[i] - mean) * (x[i] - mean);
  variance /= static_cast<double>(count);
  const double scale = 1 / std::sqrt(variance + epsilon);
  for (size_t i = 0; i < count; ++i) y[i] = static_cast<float>((x[i] - mean) * scale);
}

}  // namespace nestling
