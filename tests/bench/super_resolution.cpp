// Trains a small sub-pixel super-resolution network (Shi et al., CVPR 2016) on the images of a data
// set, from 16x16 to 32x32 pixels, and writes it as ONNX: a model without classes for experiments.
// With a model as third argument, says how near it comes to the images instead.
//   super_resolution DATA MODEL.onnx [EPOCHS | eval]
#include <fmt/format.h>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "data/dataset.h"
#include "graph/onnx.h"
#include "train/fit.h"
#include "train/network.h"
#include "train/train.h"

using namespace nestling;

namespace {

constexpr int64_t kSmall = 16, kLarge = 32, kBatchImages = 64;

Graph network(const Dataset& data) {
  Graph graph;
  graph.name = "super_resolution";
  Random random(1);
  ValueId x = graph.add_value("input", {kBatch, 3, kSmall, kSmall});
  graph.inputs = {x};
  int64_t inputs = 3;
  int count = 0;
  for (const int64_t filters : {64, 32, 32, 12}) {
    const std::string name = fmt::format("conv{}", ++count);
    const int64_t kernel = count == 1 ? 5 : 3, pad = kernel / 2;
    Tensor weight{{filters, inputs, kernel, kernel}, {}};
    weight.data.resize(static_cast<size_t>(element_count(weight.shape)));
    const double deviation = std::sqrt(2.0 / static_cast<double>(inputs * kernel * kernel));
    for (float& w : weight.data) w = static_cast<float>(random.normal() * deviation);
    const ValueId bias = graph.add_constant(
        name + ".bias", {{filters}, std::vector<float>(static_cast<size_t>(filters))});
    x = add_node(graph, name, Conv{.kernel = {kernel, kernel}, .padding = {pad, pad, pad, pad}},
                 {x, graph.add_constant(name + ".weight", std::move(weight)), bias});
    if (count < 4) x = add_node(graph, name + ".relu", kRelu, {x});
    inputs = filters;
  }
  x = add_node(graph, "pixels", DepthToSpace{2, false}, {x});
  graph.outputs = {x};
  adopt(graph, data);
  return graph;
}

at::Tensor images(const Dataset& data, std::span<const int64_t> indices) {
  std::vector<float> batch = normalised(data, indices);
  return at::from_blob(batch.data(), {std::ssize(indices), data.channels, data.height, data.width})
      .clone();
}

// Of pixel values from 0 to 1, in decibels.
double psnr(Network& model, const Dataset& small, const Dataset& large) {
  const c10::NoGradGuard no_gradient;
  const at::Tensor deviation = at::tensor(c10::ArrayRef<float>(large.deviation)).view({1, 3, 1, 1});
  double squares = 0;
  std::vector<int64_t> batch;
  for (int64_t from = 0; from + kBatchImages <= large.size(); from += kBatchImages) {
    batch.resize(kBatchImages);
    std::iota(batch.begin(), batch.end(), from);
    const at::Tensor found = model.forward(images(small, batch), Network::Mode::evaluate);
    const at::Tensor difference = (found - images(large, batch)) * deviation;
    squares += difference.square().mean().item<double>() * kBatchImages;
  }
  const auto count = static_cast<double>(large.size() / kBatchImages * kBatchImages);
  return -10 * std::log10(squares / count);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) fail("usage: super_resolution DATA MODEL.onnx [EPOCHS | eval]");
  prepare_training(0);
  const std::string third = argc > 3 ? argv[3] : "4";
  const auto load = [&](const char* split, int64_t extent) {
    return load_dataset(argv[1], split,
                        {.channels = 3,
                         .height = extent,
                         .width = extent,
                         .resize = extent,
                         .mean = {0.5F, 0.5F, 0.5F},
                         .deviation = {0.25F, 0.25F, 0.25F},
                         .unlabelled = true});
  };
  const Dataset small_test = load("test", kSmall), large_test = load("test", kLarge);
  if (third == "eval") {
    Network model(load_onnx(argv[2]));
    fmt::print("{}: {:.2f} dB\n", argv[2], psnr(model, small_test, large_test));
    return 0;
  }
  const Dataset small = load("train", kSmall), large = load("train", kLarge);
  Network model(network(small));
  std::vector<at::Tensor> moments, squares;  // of Adam (Kingma and Ba, ICLR 2015)
  for (const auto& p : model.parameters()) {
    moments.push_back(at::zeros_like(p.value));
    squares.push_back(at::zeros_like(p.value));
  }
  std::vector<int64_t> order(static_cast<size_t>(small.size()));
  std::iota(order.begin(), order.end(), 0);
  const int epochs = std::stoi(third);
  double step = 0;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    Random(static_cast<uint64_t>(epoch)).shuffle(order);
    const double rate = 1e-3 * (1 - static_cast<double>(epoch) / epochs);
    for (int64_t at = 0; at + kBatchImages <= small.size(); at += kBatchImages) {
      const std::span<const int64_t> batch(order.data() + at, kBatchImages);
      const at::Tensor found = model.forward(images(small, batch), Network::Mode::train);
      at::mse_loss(found, images(large, batch)).backward();
      const c10::NoGradGuard no_gradient;
      ++step;
      for (size_t i = 0; i < moments.size(); ++i) {
        auto& p = model.parameters()[i];
        const at::Tensor gradient = p.value.grad();
        moments[i].mul_(0.9).add_(gradient, 0.1);
        squares[i].mul_(0.999).addcmul_(gradient, gradient, 0.001);
        const at::Tensor scale = (squares[i] / (1 - std::pow(0.999, step))).sqrt_().add_(1e-8);
        p.value.addcdiv_(moments[i], scale, -rate / (1 - std::pow(0.9, step)));
        p.value.mutable_grad() = at::Tensor();
      }
    }
    fmt::print("epoch {}: {:.2f} dB\n", epoch + 1, psnr(model, small_test, large_test));
    std::fflush(stdout);
  }
  write_file(argv[2], export_onnx(model.graph()));
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "super_resolution: {}\n", error.what());
  return 1;
}
