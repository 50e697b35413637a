#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/interpret/step.h"

namespace nestling {

void interpret(const Softmax& op, const Step& step) {
  const Tensor& x = step.input(0);
  const Fold f = fold(x.shape, static_cast<size_t>(op.axis));
  for (size_t o = 0; o < f.before; ++o) {
    for (size_t j = 0; j < f.after; ++j) {
      const auto place = [&](size_t i) { return (o * f.along + i) * f.after + j; };
      float highest = -std::numeric_limits<float>::infinity();
      for (size_t i = 0; i < f.along; ++i) highest = std::max(highest, x.data[place(i)]);
      float sum = 0;
      for (size_t i = 0; i < f.along; ++i) sum += std::exp(x.data[place(i)] - highest);
      for (size_t i = 0; i < f.along; ++i) {
        const float v = x.data[place(i)] - highest;
        step.y.data[place(i)] = op.log ? v - std::log(sum) : std::exp(v) / sum;
      }
    }
  }
}

}  // namespace nestling
