// Images a second of nestling-train, decoding aside: the zoo's `small` on 32x32 colour images with
// crops and flips, beside the same network and steps written down in LibTorch's operators, on
// tensors that are in memory already. In turn, three times; the ratio is of the medians.
//   train_throughput [THREADS]
#include <algorithm>
#include <fmt/format.h>

#include "seconds.h"

#include "base/random.h"
#include "data/dataset.h"
#include "graph/zoo.h"
#include "train/torch.h"
#include "train/train.h"

using namespace nestling;

namespace {

constexpr int64_t kImages = 12800, kBatchImages = 128;

Dataset noise() {
  Dataset data;
  data.name = "noise";
  for (int c = 0; c < 10; ++c) data.classes.push_back(fmt::format("{}", c));
  data.mean = {0.5, 0.5, 0.5};
  data.deviation = {0.25, 0.25, 0.25};
  data.channels = 3;
  data.height = data.width = 32;
  Random random(1);
  for (int64_t i = 0; i < kImages * 3 * 32 * 32; ++i) {
    data.pixels.push_back(static_cast<uint8_t>(random.next() >> 56));
  }
  for (int64_t i = 0; i < kImages; ++i)
    data.labels.push_back(static_cast<int32_t>(random.below(10)));
  return data;
}

// Five convolutions with batch norm, as in lib/graph/zoo/small.cpp.
class Bare {
 public:
  Bare() {
    const int64_t widths[] = {3, 16, 32, 32, 64, 64};
    for (int i = 0; i < 5; ++i) {
      add(at::randn({widths[i + 1], widths[i], 3, 3})
              .mul_(0.1)
              .contiguous(at::MemoryFormat::ChannelsLast));
      add(at::ones({widths[i + 1]}));
      add(at::zeros({widths[i + 1]}));
      statistics_.push_back(at::zeros({widths[i + 1]}));
      statistics_.push_back(at::ones({widths[i + 1]}));
    }
    add(at::randn({10, 64}).mul_(0.1));
    add(at::zeros({10}));
  }

  void step(at::Tensor x, const at::Tensor& labels) {
    for (size_t i = 0; i < 5; ++i) {
      x = at::conv2d(x, parameters_[3 * i], {}, 1, 1);
      x = at::relu(at::batch_norm(x, parameters_[3 * i + 1], parameters_[3 * i + 2],
                                  statistics_[2 * i], statistics_[2 * i + 1], true, 0.1, 1e-5,
                                  false));
      if (i == 0 || i == 2) x = at::max_pool2d(x, {2, 2});
    }
    x = at::flatten(at::adaptive_avg_pool2d(x, {1, 1}), 1);
    at::cross_entropy_loss(at::linear(x, parameters_[15], parameters_[16]), labels).backward();
    const c10::NoGradGuard no_gradient;
    for (size_t i = 0; i < parameters_.size(); ++i) {
      at::Tensor gradient = parameters_[i].grad();
      if (parameters_[i].dim() > 1) gradient.add_(parameters_[i], 5e-4);
      velocity_[i].mul_(0.9).add_(gradient);
      parameters_[i].add_(gradient.add(velocity_[i], 0.9), -0.01);
      parameters_[i].mutable_grad() = at::Tensor();
    }
  }

 private:
  void add(at::Tensor value) {
    velocity_.push_back(at::zeros_like(value));
    parameters_.push_back(value.set_requires_grad(true));
  }
  std::vector<at::Tensor> parameters_, velocity_, statistics_;
};

}  // namespace

int main(int argc, char** argv) {
  prepare_training(argc > 1 ? std::atoi(argv[1]) : 0);
  const Dataset data = noise();
  const Graph graph = make_model("small", {});
  TrainOptions options;
  options.epochs = 1;
  options.augment = {.crop = true, .flip = true};
  Progress quiet;
  std::vector<at::Tensor> images, labels;
  for (int64_t i = 0; i < kImages / kBatchImages; ++i) {
    images.push_back(
        at::randn({kBatchImages, 3, 32, 32}).contiguous(at::MemoryFormat::ChannelsLast));
    labels.push_back(at::randint(10, {kBatchImages}, at::kLong));
  }
  std::vector<double> ours, bare;
  for (int i = 0; i < 3; ++i) {
    ours.push_back(bench::seconds([&] { train(graph, data, options, quiet); }));
    bare.push_back(bench::seconds([&] {
      Bare network;
      for (size_t n = 0; n < images.size(); ++n) network.step(images[n], labels[n]);
    }));
    fmt::print("nestling {:.0f}, LibTorch {:.0f} images a second\n", kImages / ours.back(),
               kImages / bare.back());
  }
  std::sort(ours.begin(), ours.end());
  std::sort(bare.begin(), bare.end());
  fmt::print("ratio {:.3f}\n", bare[1] / ours[1]);
}
