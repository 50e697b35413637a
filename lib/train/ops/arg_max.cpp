#include "train/ops/step.h"

namespace nestling {

// Indices, as the graph's floats; they have no gradient.
at::Tensor forward(const ArgMax& op, const TorchStep& step) {
  const at::Tensor& x = step.input(0);
  if (!op.last) return at::argmax(x, op.axis, op.keep).to(at::kFloat);
  const at::Tensor from_end = at::argmax(x.flip({op.axis}), op.axis, op.keep);
  return (x.size(op.axis) - 1 - from_end).to(at::kFloat);
}

}  // namespace nestling
