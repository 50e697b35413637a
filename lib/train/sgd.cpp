#include "train/sgd.h"

#include <cmath>
#include <numbers>

namespace nestling {

double one_cycle(double at) {
  constexpr double kRise = 0.25;
  const double phase = at < kRise ? 1 - at / kRise : (at - kRise) / (1 - kRise);
  return (1 + std::cos(std::numbers::pi * phase)) / 2;
}

Sgd::Sgd(std::vector<Network::Parameter> parameters, const TrainOptions& options,
         const std::vector<Tensor>& momentum)
    : parameters_(std::move(parameters)), options_(options) {
  for (const Network::Parameter& p : parameters_) velocity_.push_back(at::zeros_like(p.value));
  for (size_t i = 0; i < momentum.size(); ++i) velocity_[i].copy_(to_torch(momentum[i]));
}

std::vector<Tensor> Sgd::momentum() const {
  std::vector<Tensor> result;
  for (const at::Tensor& velocity : velocity_) result.push_back(from_torch(velocity));
  return result;
}

void Sgd::step(double learning_rate) {
  const c10::NoGradGuard no_gradient;
  const double shorter = shortening();
  for (size_t i = 0; i < velocity_.size(); ++i) {
    const Network::Parameter& p = parameters_[i];
    at::Tensor gradient = p.value.grad();
    if (!gradient.defined()) continue;
    if (shorter < 1) gradient.mul_(shorter);
    if (p.value.dim() > 1) gradient.add_(p.value, options_.weight_decay);
    if (p.mask.defined()) gradient.mul_(p.mask);
    velocity_[i].mul_(options_.momentum).add_(gradient);
    gradient.add_(velocity_[i], options_.momentum);
    p.value.add_(gradient, -learning_rate);
    p.value.mutable_grad() = at::Tensor();
  }
}

// What makes a gradient that is too long as long as it may be, all parameters together.
double Sgd::shortening() {
  if (options_.clip <= 0) return 1;
  double square = 0;
  for (const Network::Parameter& p : parameters_) {
    at::Tensor gradient = p.value.grad();
    if (!gradient.defined()) continue;
    if (p.mask.defined()) gradient.mul_(p.mask);
    square += at::sum(gradient * gradient).item<double>();
  }
  return std::min(1.0, options_.clip / (std::sqrt(square) + 1e-12));
}

}  // namespace nestling
