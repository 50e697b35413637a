#include "train/train.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <malloc.h>
#include <numbers>
#include <numeric>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "graph/classifier.h"
#include "graph/onnx.h"
#include "train/checkpoint.h"
#include "train/distillation.h"
#include "train/network.h"

namespace nestling {
namespace {

at::Tensor images(const Dataset& data, std::span<const int64_t> indices) {
  std::vector<float> batch = normalised(data, indices);
  return at::from_blob(batch.data(), {static_cast<int64_t>(indices.size()), data.channels,
                                      data.height, data.width})
      .clone();
}

at::Tensor labels(const Dataset& data, std::span<const int64_t> indices) {
  at::Tensor result = at::empty({static_cast<int64_t>(indices.size())}, at::kLong);
  auto* to = result.data_ptr<int64_t>();
  for (const int64_t index : indices) *to++ = data.labels[static_cast<size_t>(index)];
  return result;
}

// From 0 to 1 and back to 0 over the training; `at` from 0 to 1.
double one_cycle(double at) {
  constexpr double kRise = 0.25;
  const double phase = at < kRise ? 1 - at / kRise : (at - kRise) / (1 - kRise);
  return (1 + std::cos(std::numbers::pi * phase)) / 2;
}

class Sgd {
 public:
  // `momentum` is that of a checkpoint, or empty at the start.
  Sgd(Network& network, const TrainOptions& options, const std::vector<Tensor>& momentum)
      : network_(network), options_(options) {
    for (const Network::Parameter& p : network.parameters()) {
      velocity_.push_back(at::zeros_like(p.value));
    }
    for (size_t i = 0; i < momentum.size(); ++i) velocity_[i].copy_(to_torch(momentum[i]));
  }

  std::vector<Tensor> momentum() const {
    std::vector<Tensor> result;
    for (const at::Tensor& velocity : velocity_) result.push_back(from_torch(velocity));
    return result;
  }

  // A frozen entry sees a gradient of exactly zero, so it keeps its bits.
  void step(double learning_rate) {
    const c10::NoGradGuard no_gradient;
    for (size_t i = 0; i < velocity_.size(); ++i) {
      Network::Parameter& p = network_.parameters()[i];
      at::Tensor gradient = p.value.grad();
      if (!gradient.defined()) continue;
      if (p.value.dim() > 1) gradient.add_(p.value, options_.weight_decay);
      if (p.mask.defined()) gradient.mul_(p.mask);
      velocity_[i].mul_(options_.momentum).add_(gradient);
      gradient.add_(velocity_[i], options_.momentum);
      p.value.add_(gradient, -learning_rate);
      p.value.mutable_grad() = at::Tensor();
    }
  }

 private:
  Network& network_;
  const TrainOptions& options_;
  std::vector<at::Tensor> velocity_;
};

at::Tensor loss_of(const at::Tensor& logits, const at::Tensor& label, const at::Tensor& teacher,
                   const TrainOptions& options) {
  const at::Tensor loss = at::cross_entropy_loss(logits, label);
  if (!teacher.defined()) return loss;
  const double t = options.temperature, w = options.teacher_weight;
  const at::Tensor distance =
      at::kl_div(at::log_softmax(logits / t, 1), at::softmax(teacher / t, 1), at::Reduction::Sum) /
      logits.size(0);
  return loss * (1 - w) + distance * (w * t * t);
}

void check_images(const Graph& graph, const Dataset& data) {
  const ImageShape shape = image_input(graph);
  if (shape.channels != data.channels || shape.height != data.height || shape.width != data.width) {
    fail("the network takes {}x{}x{} images, the data set {} has {}x{}x{}", shape.channels,
         shape.height, shape.width, data.name, data.channels, data.height, data.width);
  }
}

// What decides the bytes of a training on this machine, but for the number of threads.
std::string training_digest(const Graph& graph, const Dataset& data, const TrainOptions& options) {
  std::string text = export_onnx(graph) + digest(data) +
                     fmt::format("{} {} {} {} {} {} {} {}", options.epochs, options.batch,
                                 options.learning_rate, options.momentum, options.weight_decay,
                                 options.seed, options.teacher_weight, options.temperature);
  const auto append = [&text](const std::vector<float>& floats) {
    text.append(reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float));
  };
  append(options.teacher_logits);
  for (const auto& [id, mask] : options.masks) append(mask.data);
  if (options.teacher != nullptr) text += export_onnx(*options.teacher);
  return sha256(text);
}

// Where a training begins: at the start, or where its checkpoint left it.
Checkpoint begin(const Graph& graph, const Dataset& data, const TrainOptions& options,
                 Progress& progress) {
  Checkpoint start{.training = {}, .graph = graph, .momentum = {}};
  if (options.checkpoint.empty()) return start;
  start.training = training_digest(graph, data, options);
  if (auto found = read_checkpoint(options.checkpoint, start.training, graph)) {
    progress.note(fmt::format("going on after epoch {} of {}, from {}", found->epochs,
                              options.epochs, options.checkpoint.string()));
    progress.kept(fmt::format("epoch {} of {}", found->epochs, options.epochs));
    return *std::move(found);
  }
  if (!options.replace_checkpoint && std::filesystem::exists(options.checkpoint)) {
    fail(
        "{} is of a training with other settings or data; use those, or --force, which discards it",
        options.checkpoint.string());
  }
  return start;
}

}  // namespace

void prepare_training(int threads) {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
  at::set_num_threads(threads > 0 ? threads
                                  : static_cast<int>(std::thread::hardware_concurrency()));
}

void check_fits(const Graph& graph, const Dataset& data) {
  check_images(graph, data);
  if (data.classes.empty()) return;
  if (class_count(graph) != static_cast<int64_t>(data.classes.size())) {
    fail("the network has {} classes, the data set {} has {}", class_count(graph), data.name,
         data.classes.size());
  }
  check_classes(classifier_info(graph, "the network").classes, data);
}

LoadOptions load_options(const Graph& graph, const std::string& where) {
  const ImageShape shape = image_input(graph);
  LoadOptions options{.channels = shape.channels, .height = shape.height, .width = shape.width};
  const Preprocess preprocess = classifier_info(graph, where).preprocess;
  if (graph.metadata.contains("nestling.resize")) options.resize = preprocess.resize;
  if (graph.metadata.contains("nestling.mean")) {
    options.mean = preprocess.mean;
    options.deviation = preprocess.deviation;
  }
  return options;
}

void adopt(Graph& graph, const Dataset& data) {
  Graph with_all = graph;
  set_classifier_info(with_all, {data.classes, {data.resize, data.mean, data.deviation}});
  graph.metadata.merge(with_all.metadata);  // what is there stays
}

Graph train(const Graph& graph, const Dataset& data, const TrainOptions& options,
            Progress& progress) {
  check_fits(graph, data);
  const bool labelled = !data.classes.empty();
  if (!labelled && options.teacher == nullptr) {
    fail("{} has no labels, and there is no network to learn from", data.name);
  }
  const auto classes = static_cast<int64_t>(data.classes.size());
  at::Tensor teacher;
  if (!options.teacher_logits.empty()) {
    if (static_cast<int64_t>(options.teacher_logits.size()) != data.size() * classes) {
      fail("the teacher's outputs do not belong to this data");
    }
    teacher =
        at::from_blob(const_cast<float*>(options.teacher_logits.data()), {data.size(), classes});
  }
  Checkpoint state = begin(graph, data, options, progress);
  Network network(state.graph, options.masks);
  Sgd sgd(network, options, state.momentum);
  std::optional<Distillation> distillation;
  if (!labelled) distillation.emplace(*options.teacher, graph);
  const auto loss_on = [&](std::span<const int64_t> indices) {
    const at::Tensor x = images(data, indices);
    if (distillation) return distillation->loss(network, x);
    at::Tensor target;
    if (teacher.defined()) {
      target = teacher.index_select(
          0, at::from_blob(const_cast<int64_t*>(indices.data()), {std::ssize(indices)}, at::kLong));
    }
    return loss_of(network.forward(x, Network::Mode::train), labels(data, indices), target,
                   options);
  };
  // The last, smaller batch is left out: batch norm needs many images.
  const int64_t batch = std::min(options.batch, data.size());
  const int64_t per_epoch = data.size() / batch;
  const int64_t steps = per_epoch * options.epochs;
  progress.begin("training", steps);
  std::vector<int64_t> order(static_cast<size_t>(data.size()));
  double& mean_loss = state.mean_loss;
  for (int64_t step = per_epoch * state.epochs; step < steps; ++step) {
    if (step % per_epoch == 0) {
      std::iota(order.begin(), order.end(), 0);
      const auto epoch = static_cast<uint64_t>(step / per_epoch);
      Random(sub_seed(options.seed, {epoch})).shuffle(order);
    }
    const std::span<const int64_t> indices(order.data() + step % per_epoch * batch,
                                           static_cast<size_t>(batch));
    const at::Tensor loss = loss_on(indices);
    loss.backward();
    const double value = loss.item<double>();
    if (!std::isfinite(value)) {
      fail("the training diverged at step {}; choose a smaller learning rate", step);
    }
    sgd.step(options.learning_rate *
             one_cycle((static_cast<double>(step) + 0.5) / static_cast<double>(steps)));
    mean_loss = step == 0 ? value : 0.98 * mean_loss + 0.02 * value;
    if ((step + 1) % per_epoch == 0 && !options.checkpoint.empty()) {
      ++state.epochs;
      state.graph = network.graph();
      state.momentum = sgd.momentum();
      write_checkpoint(options.checkpoint, state);
      progress.kept(fmt::format("epoch {} of {}", state.epochs, options.epochs));
    }
    progress.update(step + 1, fmt::format("loss {:.3f}", mean_loss));
  }
  return network.graph();
}

void observe(const Graph& graph, const Dataset& data, std::span<const int64_t> indices,
             int64_t batch, const std::set<ValueId>& wanted, const ValueObserver& observer) {
  check_images(graph, data);
  const c10::NoGradGuard no_gradient;
  Network network(graph);
  const auto most = static_cast<size_t>(batch);
  for (size_t from = 0; from < indices.size(); from += most) {
    const auto part = indices.subspan(from, std::min(most, indices.size() - from));
    network.forward(images(data, part), Network::Mode::evaluate,
                    [&](ValueId value, const at::Tensor& content) {
                      if (wanted.contains(value)) observer(part, value, from_torch(content));
                    });
  }
}

void observe(const Graph& graph, const Dataset& data, int64_t batch,
             const std::set<ValueId>& wanted, const ValueObserver& observer) {
  std::vector<int64_t> all(static_cast<size_t>(data.size()));
  std::iota(all.begin(), all.end(), 0);
  observe(graph, data, all, batch, wanted, observer);
}

std::vector<float> outputs(const Graph& graph, const Dataset& data) {
  std::vector<float> result;
  observe(graph, data, 250, {graph.outputs.at(0)},
          [&](std::span<const int64_t>, ValueId, const Tensor& y) {
            result.insert(result.end(), y.data.begin(), y.data.end());
          });
  return result;
}

double accuracy(const Graph& graph, const Dataset& data) {
  check_fits(graph, data);
  const std::vector<float> logits = outputs(graph, data);
  const size_t classes = data.classes.size();
  int64_t right = 0;
  for (size_t n = 0; n < data.labels.size(); ++n) {
    const auto row = logits.begin() + static_cast<std::ptrdiff_t>(n * classes);
    const auto highest = std::max_element(row, row + static_cast<std::ptrdiff_t>(classes));
    right += highest - row == data.labels[n];
  }
  return static_cast<double>(right) / static_cast<double>(data.size());
}

}  // namespace nestling
