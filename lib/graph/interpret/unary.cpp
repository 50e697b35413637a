#include "graph/interpret/step.h"

namespace nestling {

void interpret(const Unary& op, const Step& step) {
  const Tensor& x = step.input(0);
  for (size_t i = 0; i < x.data.size(); ++i) step.y.data[i] = op(x.data[i]);
}

}  // namespace nestling
