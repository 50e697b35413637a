#include "train/ops/step.h"

namespace nestling {

at::Tensor forward(const MatMul&, const TorchStep& step) {
  return at::matmul(step.input(0), step.input(1));
}

}  // namespace nestling
