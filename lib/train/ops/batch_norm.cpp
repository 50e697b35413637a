#include <torch/csrc/autograd/custom_function.h>
#include <vector>

#include "train/ops/step.h"
#include "train/team.h"

namespace nestling {
namespace {

constexpr double kMomentum = 0.1;

// The sums of channels over the images and pixels.
at::Tensor channel_sums(const at::Tensor& x) {
  std::vector<int64_t> axes{0};
  for (int64_t axis = 2; axis < x.dim(); ++axis) axes.push_back(axis);
  return x.sum(axes);
}

// A number a channel, to be broadcast over x.
at::Tensor along_channels(const at::Tensor& numbers, const at::Tensor& x) {
  std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
  shape[1] = x.size(1);
  return numbers.to(at::kFloat).view(shape);
}

at::Tensor sum_over(Team& team, const at::Tensor& doubles) {
  const at::Tensor sums = doubles.cpu();
  team.sum(std::span(sums.data_ptr<double>(), static_cast<size_t>(sums.numel())));
  return sums.to(doubles.device());
}

// Batch norm by the statistics of a whole batch of which every process of the team has a part. With
// n elements of each channel in the whole batch, their mean m and variance v, and
// h = (x - m) / sqrt(v + epsilon):
//
//   y = scale h + shift      dx = scale / sqrt(v + epsilon) (dy - sum(dy) / n - h sum(dy h) / n)
class SharedBatchNorm : public torch::autograd::Function<SharedBatchNorm> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& scale, const at::Tensor& shift, at::Tensor mean,
                            at::Tensor variance, double epsilon) {
    Team& team = *Team::current();
    const double elements = static_cast<double>(x.numel()) / static_cast<double>(x.size(1));
    const at::Tensor local_mean = (channel_sums(x) / elements).to(at::kDouble);
    const at::Tensor off = x - along_channels(local_mean, x);
    const at::Tensor local_squares = channel_sums(off * off).to(at::kDouble);
    const at::Tensor count = at::full({1}, elements, local_mean.options());
    const at::Tensor sums = sum_over(team, at::cat({local_mean * elements, count}));
    const double all = sums[-1].item<double>();
    const at::Tensor batch_mean = sums.narrow(0, 0, x.size(1)) / all;
    const at::Tensor apart = local_mean - batch_mean;
    const at::Tensor squares = sum_over(team, local_squares + elements * apart * apart);
    mean.data().lerp_(batch_mean.to(at::kFloat), kMomentum);
    variance.data().lerp_((squares / (all - 1)).to(at::kFloat), kMomentum);

    const at::Tensor scaled = (squares / all + epsilon).rsqrt();
    const at::Tensor h = (x - along_channels(batch_mean, x)) * along_channels(scaled, x);
    context->save_for_backward({h, scale, scaled});
    context->saved_data["elements"] = all;
    return h * along_channels(scale, x) + along_channels(shift, x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &h = saved[0], &scale = saved[1], &scaled = saved[2], &dy = gradients[0];
    const double all = context->saved_data["elements"].toDouble();
    const at::Tensor shift_gradient = channel_sums(dy), scale_gradient = channel_sums(dy * h);
    const at::Tensor sums =
        sum_over(*Team::current(), at::cat({shift_gradient, scale_gradient}).to(at::kDouble) / all);
    const auto channels = h.size(1);
    const at::Tensor dx = (dy - along_channels(sums.narrow(0, 0, channels), h) -
                           h * along_channels(sums.narrow(0, channels, channels), h)) *
                          along_channels(scale.detach().to(at::kDouble) * scaled, h);
    return {dx, scale_gradient, shift_gradient, {}, {}, {}};
  }
};

// In training: the statistics are the batch's, and the running ones follow.
at::Tensor train(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& shift,
                 at::Tensor mean, at::Tensor variance, double epsilon) {
  if (Team::current() == nullptr || !c10::GradMode::is_enabled()) {
    return at::batch_norm(x, scale, shift, mean, variance, true, kMomentum, epsilon, false);
  }
  return SharedBatchNorm::apply(x, scale, shift, mean, variance, epsilon);
}

}  // namespace

// In training the first channels of a mask are frozen: they keep their statistics.
at::Tensor forward(const BatchNorm& op, const TorchStep& step) {
  const at::Tensor &x = step.input(0), &scale = step.input(1), &shift = step.input(2);
  const at::Tensor &mean = step.input(3), &variance = step.input(4);
  const auto part = [&](int64_t from, int64_t count, bool trains) {
    const auto of = [&](const at::Tensor& numbers) { return numbers.narrow(0, from, count); };
    const at::Tensor some = x.narrow(1, from, count);
    if (trains) return train(some, of(scale), of(shift), of(mean), of(variance), op.epsilon);
    return at::batch_norm(some, of(scale), of(shift), of(mean), of(variance), false, kMomentum,
                          op.epsilon, false);
  };
  const int64_t channels = x.size(1);
  if (step.mode != Network::Mode::train) return part(0, channels, false);
  const at::Tensor& mask = step.masks[1];
  const int64_t trained = mask.defined() ? mask.sum().item<int64_t>() : channels;
  const int64_t frozen = channels - trained;
  if (trained == 0) return part(0, frozen, false);
  if (frozen == 0) return part(0, trained, true);
  return at::cat({part(0, frozen, false), part(frozen, trained, true)}, 1);
}

}  // namespace nestling
