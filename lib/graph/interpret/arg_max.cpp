#include "graph/interpret/step.h"

namespace nestling {

void interpret(const ArgMax& op, const Step& step) {
  const Tensor& x = step.input(0);
  const Fold f = fold(x.shape, static_cast<size_t>(op.axis));
  for (size_t o = 0; o < f.before; ++o) {
    for (size_t j = 0; j < f.after; ++j) {
      const auto value = [&](size_t i) { return x.data[(o * f.along + i) * f.after + j]; };
      size_t best = 0;
      for (size_t i = 1; i < f.along; ++i) {
        if (value(i) > value(best) || (op.last && value(i) == value(best))) best = i;
      }
      step.y.data[o * f.after + j] = static_cast<float>(best);
    }
  }
}

}  // namespace nestling
