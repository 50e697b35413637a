// Batch norm in training is ours: beside LibTorch's own.
#include <ATen/Parallel.h>

#include "support/catch.h"
#include "support/other_device.h"

#include "train/columns.h"
#include "train/ops/step.h"

using nestling::TorchStep;

namespace {

struct Case {
  std::vector<int64_t> shape;
  bool channels_last;
};

// A little of everything: the output, all gradients, and the running statistics afterwards.
std::vector<at::Tensor> results(const Case& of, bool ours) {
  at::manual_seed(7);
  const int64_t channels = of.shape[1];
  at::Tensor x = at::randn(of.shape) * 3 + 5;
  if (of.channels_last) x = x.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor scale = at::rand({channels}) + 0.5, shift = at::randn({channels}),
                   mean = at::randn({channels}), variance = at::rand({channels}) + 0.5,
                   weights = at::randn(of.shape);
  for (const at::Tensor& parameter : {x, scale, shift}) parameter.requires_grad_();
  const nestling::BatchNorm op{.epsilon = 1e-3F};
  const at::Tensor y =
      ours ? forward(op, TorchStep{{x, scale, shift, mean, variance},
                                   std::vector<at::Tensor>(5),
                                   of.shape,
                                   nestling::Network::Mode::train})
           : at::batch_norm(x, scale, shift, mean, variance, true, 0.1, op.epsilon, false);
  (y * y * weights).sum().backward();
  return {y, x.grad(), scale.grad(), shift.grad(), mean, variance};
}

}  // namespace

TEST_CASE("batch norm trains as LibTorch's does") {
  const Case of =
      GENERATE(Case{{2, 1, 3, 3}, true}, Case{{8, 3, 5, 7}, true}, Case{{8, 3, 5, 7}, false},
               Case{{16, 12, 9, 9}, true}, Case{{4, 300, 2, 2}, true}, Case{{64, 16, 32, 32}, true},
               Case{{33, 10}, false}, Case{{5, 6, 7}, false}, Case{{3, 70, 1, 1}, true});
  CAPTURE(of.shape, of.channels_last);
  const auto theirs = results(of, false), ours = results(of, true);
  for (size_t i = 0; i < theirs.size(); ++i) {
    CAPTURE(i);
    const double most = theirs[i].abs().max().item<double>();
    CHECK((ours[i] - theirs[i]).abs().max().item<double>() <= 3e-5 * most);
  }
}

TEST_CASE("batch norm finds small variances far from zero") {
  at::manual_seed(7);
  const at::Tensor off = at::randint(-4, 5, {32, 3, 8, 8}).to(at::kFloat);
  const at::Tensor x = off + 10000;  // exactly
  const at::Tensor ones = at::ones({3}), mean = at::zeros({3}), variance = at::zeros({3});
  const at::Tensor zeros = at::zeros({3});
  const at::Tensor y =
      forward(nestling::BatchNorm{.epsilon = 1e-5F}, TorchStep{{x, ones, zeros, mean, variance},
                                                               std::vector<at::Tensor>(5),
                                                               x.sizes().vec(),
                                                               nestling::Network::Mode::train});
  const at::Tensor expected = off.transpose(0, 1).reshape({3, -1}).var(1, true) * 0.1;
  CHECK(at::allclose(variance, expected, 1e-5, 0));
  CHECK(at::allclose(y.transpose(0, 1).reshape({3, -1}).var(1, true), ones, 1e-3, 0));
}

TEST_CASE("batch norm's sums do not depend on the number of threads") {
  const Case of{{64, 12, 16, 16}, true};
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = results(of, true);
  at::set_num_threads(3);
  const auto three = results(of, true);
  at::set_num_threads(before);
  for (size_t i = 0; i < one.size(); ++i) CHECK(at::equal(one[i], three[i]));
}

TEST_CASE("columns of a matrix are summed and scaled on another device as on the processor") {
  at::manual_seed(7);
  const at::Tensor x = at::randn({50, 12}) + 3, dy = at::randn({50, 12});
  const at::Tensor a = at::randn({12}, at::kDouble), b = at::randn({12}, at::kDouble),
                   c = at::randn({12}, at::kDouble);
  const auto all = [&] {
    const auto there = [](const at::Tensor& t) { return t.to(nestling::device()); };
    return std::vector{
        nestling::column_moments(there(x), there(a)).cpu(),
        nestling::column_products(there(dy), there(x), there(a)).cpu(),
        nestling::scaled_columns(there(x), there(a), there(b)).cpu(),
        nestling::mixed_columns(there(x), there(a), there(dy), there(b), there(c)).cpu()};
  };
  const auto here = all();
  const test::OtherDevice device;
  const auto there = all();
  for (size_t i = 0; i < here.size(); ++i) {
    CAPTURE(i);
    CHECK(there[i].dtype() == here[i].dtype());
    CHECK(at::allclose(there[i], here[i], 1e-5, 1e-5));
  }
}
