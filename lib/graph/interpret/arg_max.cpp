#include "graph/interpret/step.h"

namespace nestling {

void interpret(const ArgMax& op, const Step& step) {
  const Tensor& x = step.input(0);
  const auto [before, along, after] = fold(x.shape, static_cast<size_t>(op.axis));
  for (size_t o = 0; o < before; ++o) {
    for (size_t j = 0; j < after; ++j) {
      const auto value = [&, o, j](size_t i) { return x.data[(o * along + i) * after + j]; };
      size_t best = 0;
      for (size_t i = 1; i < along; ++i) {
        if (value(i) > value(best) || (op.last && value(i) == value(best))) best = i;
      }
      step.y.data[o * after + j] = static_cast<float>(best);
    }
  }
}

}  // namespace nestling
