#include <algorithm>
#include <torch/csrc/autograd/custom_function.h>

#include "train/columns.h"
#include "train/ops/step.h"
#include "train/team.h"

namespace nestling {
namespace {

constexpr double kMomentum = 0.1;

// What every process of the team has, added up; without one, what this one has.
at::Tensor over_team(bool with_team, const at::Tensor& doubles) {
  if (!with_team) return doubles;
  const at::Tensor sums = doubles.cpu();
  Team::current()->sum(std::span(sums.data_ptr<double>(), static_cast<size_t>(sums.numel())));
  return sums.to(doubles.device());
}

// Batch norm by the statistics of a batch, of which every process of a team has a part; the running
// ones follow. With n elements of each channel in the whole batch, their mean m and variance v, and
// h = (x - m) / sqrt(v + epsilon):
//
//   y = scale h + shift      dx = scale / sqrt(v + epsilon) (dy - sum(dy) / n - h sum(dy h) / n)
class BatchNormTraining : public torch::autograd::Function<BatchNormTraining> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& scale, const at::Tensor& shift, at::Tensor mean,
                            at::Tensor variance, double epsilon, bool with_team) {
    const at::Tensor x = pixels(input);
    // Both in one pass: sums from the first pixel, which is about as far from the mean as others
    // are, so that little is lost in the squares; then, in doubles, from zero, as a team shares
    // them.
    const at::Tensor origin = (x.size(0) > 0 ? x[0] : mean).to(at::kDouble);
    const at::Tensor moments = column_moments(x, origin);
    const auto here = static_cast<double>(x.size(0));
    const at::Tensor sums =
        over_team(with_team, at::stack({at::full_like(origin, here), moments[0] + here * origin,
                                        moments[1] + origin * (2 * moments[0] + here * origin)}));
    const double all = sums[0][0].item<double>();
    const at::Tensor batch_mean = sums[1] / all;
    const at::Tensor squares = (sums[2] - sums[1] * batch_mean).clamp_min(0);
    mean.data().lerp_(batch_mean.to(at::kFloat), kMomentum);
    variance.data().lerp_((squares / std::max(all - 1, 1.0)).to(at::kFloat), kMomentum);

    const at::Tensor inverse = (squares / all + epsilon).rsqrt();
    const at::Tensor factor = scale.detach().to(at::kDouble) * inverse;
    context->save_for_backward({x, batch_mean, inverse, factor});
    context->saved_data["all"] = all;
    context->saved_data["team"] = with_team;
    return image(scaled_columns(x, factor, shift.detach().to(at::kDouble) - batch_mean * factor),
                 input);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &mean = saved[1], &inverse = saved[2], &factor = saved[3];
    const double all = context->saved_data["all"].toDouble();
    const at::Tensor dy = pixels(gradients[0]);
    const at::Tensor products = column_products(dy, x, mean);
    const at::Tensor shift_gradient = products[0], scale_gradient = products[1] * inverse;
    const bool with_team = context->saved_data["team"].toBool();
    const at::Tensor means =
        over_team(with_team, at::stack({shift_gradient, scale_gradient})) / all;
    // In dx, what x is multiplied by.
    const at::Tensor of_x = -factor * inverse * means[1];
    const at::Tensor dx = mixed_columns(dy, factor, x, of_x, -factor * means[0] - of_x * mean);
    return {image(dx, gradients[0]),
            scale_gradient.to(at::kFloat),
            shift_gradient.to(at::kFloat),
            {},
            {},
            {},
            {}};
  }

 private:
  // A row for each pixel of each image, and back: no copy where channels lie side by side.
  static at::Tensor pixels(const at::Tensor& x) {
    return x.movedim(1, -1).contiguous().view({-1, x.size(1)});
  }
  static at::Tensor image(const at::Tensor& rows, const at::Tensor& like) {
    return rows.view(like.movedim(1, -1).sizes()).movedim(-1, 1);
  }
};

}  // namespace

// In training the first channels of a mask are frozen: they keep their statistics.
at::Tensor forward(const BatchNorm& op, const TorchStep& step) {
  const at::Tensor &x = step.input(0), &scale = step.input(1), &shift = step.input(2);
  const at::Tensor &mean = step.input(3), &variance = step.input(4);
  const auto part = [&](int64_t from, int64_t count, bool trains) {
    // All of them as they are: a slice's gradient would be copied.
    const auto of = [&](const at::Tensor& numbers, int64_t axis) {
      return count == x.size(1) ? numbers : numbers.narrow(axis, from, count);
    };
    const at::Tensor some = of(x, 1), its_scale = of(scale, 0), its_shift = of(shift, 0),
                     its_mean = of(mean, 0), its_variance = of(variance, 0);
    const bool with_team = Team::current() != nullptr && c10::GradMode::is_enabled();
    // A GPU has passes of its own, if it need not share their sums.
    if (trains && (with_team || x.device().is_cpu())) {
      return BatchNormTraining::apply(some, its_scale, its_shift, its_mean, its_variance,
                                      op.epsilon, with_team);
    }
    return at::batch_norm(some, its_scale, its_shift, its_mean, its_variance, trains, kMomentum,
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
