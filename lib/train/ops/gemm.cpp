#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const Gemm&, const TorchStep& step) {
  return at::linear(step.input(0), step.input(1), step.bias());
}

}  // namespace nestling
