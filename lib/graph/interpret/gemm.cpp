#include "graph/interpret/step.h"

namespace nestling {

void interpret(const Gemm&, const Step& step) {
  const Tensor &x = step.input(0), &w = step.input(1);
  const auto outs = static_cast<size_t>(w.shape[0]);
  const auto ins = static_cast<size_t>(w.shape[1]);
  for (size_t i = 0; i < step.y.data.size(); ++i) {
    const size_t n = i / outs, m = i % outs;
    float sum = 0;
    for (size_t k = 0; k < ins; ++k) sum += x.data[n * ins + k] * w.data[m * ins + k];
    if (step.inputs.size() > 2) sum += step.input(2).data[m];
    step.y.data[i] = sum;
  }
}

}  // namespace nestling
