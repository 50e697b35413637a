#include "train/ops/step.h"

namespace nestling {

// In training the first channels of a mask are frozen: they keep their statistics.
at::Tensor forward(const BatchNorm& op, const TorchStep& step) {
  constexpr double kMomentum = 0.1;
  const at::Tensor &x = step.input(0), &scale = step.input(1), &shift = step.input(2);
  at::Tensor mean = step.input(3), variance = step.input(4);
  const bool train = step.mode == Network::Mode::train;
  const at::Tensor& mask = step.masks[1];
  if (!train || !mask.defined()) {
    return at::batch_norm(x, scale, shift, mean, variance, train, kMomentum, op.epsilon, false);
  }
  const int64_t frozen = x.size(1) - mask.sum().item<int64_t>();
  const int64_t trained = x.size(1) - frozen;
  const auto part = [&](int64_t from, int64_t count, bool trains) {
    at::Tensor part_mean = mean.narrow(0, from, count);
    at::Tensor part_variance = variance.narrow(0, from, count);
    return at::batch_norm(x.narrow(1, from, count), scale.narrow(0, from, count),
                          shift.narrow(0, from, count), part_mean, part_variance, trains, kMomentum,
                          op.epsilon, false);
  };
  if (trained == 0) return part(0, frozen, false);
  if (frozen == 0) return part(0, trained, true);
  return at::cat({part(0, frozen, false), part(frozen, trained, true)}, 1);
}

}  // namespace nestling
