// The cosine of the angle between two vectors, by which outputs of networks are compared.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

namespace nestling {

// Of vectors of equal size. Two zeros are alike, a zero and another are not.
inline double cosine(std::span<const float> a, std::span<const float> b) {
  double product = 0, of_a = 0, of_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    product += static_cast<double>(a[i]) * b[i];
    of_a += static_cast<double>(a[i]) * a[i];
    of_b += static_cast<double>(b[i]) * b[i];
  }
  if (of_a == 0 || of_b == 0) return of_a == of_b ? 1 : 0;
  return product / std::sqrt(of_a * of_b);
}

}  // namespace nestling
