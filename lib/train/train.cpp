#include "train/train.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <malloc.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "graph/onnx.h"
#include "train/checkpoint.h"
#include "train/evaluate.h"
#include "train/fit.h"
#include "train/job.h"
#include "train/loader.h"
#include "train/loss.h"
#include "train/network.h"
#include "train/sgd.h"
#include "train/team.h"
#include "train/trainee.h"

namespace nestling {
namespace {

// What decides the bytes of a training on this machine, but for the number of threads.
std::string training_digest(const Graph& graph, const Dataset& data, const TrainOptions& options) {
  std::string text = export_onnx(graph) + digest(data) + json_text(to_json(options)) +
                     fmt::format("{} {} {} {}", options.momentum, options.weight_decay,
                                 options.teacher_weight, options.temperature);
  const auto append = [&text](const std::vector<float>& floats) {
    text.append(reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float));
  };
  append(options.teacher_logits.plain);
  append(options.teacher_logits.flipped);
  for (const auto& [id, mask] : options.masks) append(mask.data);
  if (options.teacher != nullptr) text += export_onnx(*options.teacher);
  return sha256(text);
}

// Where a training begins: at the start, or where its checkpoint left it.
Checkpoint begin(const TraineeKind& kind, const Graph& graph, const Dataset& data,
                 const TrainOptions& options, Progress& progress) {
  Checkpoint start{.training = {}, .graph = graph, .momentum = {}};
  if (options.checkpoint.empty()) return start;
  start.training = training_digest(graph, data, options);
  if (!std::filesystem::exists(options.checkpoint)) return start;
  for (const Network::Parameter& p : kind.make(graph, data, options)->parameters()) {
    start.momentum.push_back(from_torch(at::zeros_like(p.value)));
  }
  if (auto found = read_checkpoint(options.checkpoint, start)) {
    progress.note(fmt::format("going on after epoch {} of {}, from {}", found->epochs,
                              options.epochs, options.checkpoint.string()));
    progress.kept(fmt::format("epoch {} of {}", found->epochs, options.epochs));
    return *std::move(found);
  }
  if (!options.replace_checkpoint) {
    fail(
        "{} is of a training with other settings or data; use those, or --force, which discards it",
        options.checkpoint.string());
  }
  return start;
}

// A step's loss and gradients, of which this process computes its part.
double learn(Trainee& trainee, Batch batch, int64_t step) {
  Team* team = Team::current();
  if (team == nullptr) return trainee.learn(batch, step);
  const Batch part = part_of(std::move(batch), team->rank(), team->size());
  std::vector<at::Tensor> gradients, flat;
  flat.push_back(at::full({1}, trainee.learn(part, step), device()).to(at::kFloat));
  for (const Network::Parameter& p : trainee.parameters()) {
    if (!p.value.grad().defined()) continue;
    gradients.push_back(p.value.grad());
    flat.push_back(gradients.back().reshape({-1}));
  }
  const at::Tensor all = at::cat(flat).cpu();
  team->sum(std::span(all.data_ptr<float>(), static_cast<size_t>(all.numel())));
  int64_t from = 1;
  for (at::Tensor& gradient : gradients) {
    gradient.copy_(all.narrow(0, from, gradient.numel()).view(gradient.sizes()));
    from += gradient.numel();
  }
  return all[0].item<double>();
}

constexpr int kMostDivergences = 4;

// Trains from `state` to the end; `state` follows epoch by epoch. Returns the step at which the
// loss became infinite, if it did: then `state` is what the last epoch left.
std::optional<int64_t> train_from(Checkpoint& state, const TraineeKind& kind, const Dataset& data,
                                  const TrainOptions& options, Progress& progress) {
  const int64_t per_epoch = Loader::steps_an_epoch(data, options.batch);
  const int64_t steps = per_epoch * options.epochs;
  const int64_t first = per_epoch * state.epochs;
  const std::unique_ptr<Trainee> trainee = kind.make(state.graph, data, options);
  Sgd sgd(trainee->parameters(), options, state.momentum);
  Loader loader(data, options.augment, options.batch, first, steps, options.seed);
  double mean_loss = state.mean_loss;
  for (int64_t step = first; step < steps; ++step) {
    const double value = learn(*trainee, loader.next(), step);
    if (!std::isfinite(value)) return step;
    sgd.step(state.rate * options.learning_rate *
             one_cycle((static_cast<double>(step) + 0.5) / static_cast<double>(steps)));
    mean_loss = step == 0 ? value : 0.98 * mean_loss + 0.02 * value;
    if ((step + 1) % per_epoch == 0) {
      ++state.epochs;
      state.mean_loss = mean_loss;
      state.graph = trainee->graph();
      state.momentum = sgd.momentum();
      if (!options.checkpoint.empty()) {
        write_checkpoint(options.checkpoint, state);
        progress.kept(fmt::format("epoch {} of {}", state.epochs, options.epochs));
      }
    }
    progress.update(step + 1, fmt::format("loss {:.3f}", mean_loss));
  }
  return std::nullopt;
}

// One network by itself.
class Single : public Trainee {
 public:
  Single(const Graph& graph, const Dataset& data, const TrainOptions& options)
      : network_(graph, options.masks), loss_(graph, data, options) {}

  std::vector<Network::Parameter> parameters() override { return network_.parameters(); }
  double learn(const Batch& batch, int64_t /*step*/) override {
    const at::Tensor loss = loss_.of(network_, batch);
    loss.backward();
    return loss.item<double>();
  }
  Graph graph() const override { return network_.graph(); }

 private:
  Network network_;
  Loss loss_;
};

constexpr TraineeKind kSingle{"single",
                              [](const Graph& graph, const Dataset& data,
                                 const TrainOptions& options) -> std::unique_ptr<Trainee> {
                                return std::make_unique<Single>(graph, data, options);
                              }};

// From `state` on, also where the loss becomes infinite.
void train_to_end(Checkpoint& state, const TraineeKind& kind, const Dataset& data,
                  const TrainOptions& options, Progress& progress) {
  const int64_t per_epoch = Loader::steps_an_epoch(data, options.batch);
  progress.begin("training", per_epoch * options.epochs);
  for (int diverged = 0; state.epochs < options.epochs;) {
    const auto bad_step = train_from(state, kind, data, options, progress);
    if (!bad_step) break;
    if (++diverged > kMostDivergences) {
      fail(
          "the training diverged at step {}, even at {} of the learning rate; choose a smaller one",
          *bad_step, state.rate);
    }
    state.rate /= 2;
    progress.note(
        fmt::format("the training diverged at step {}; again after epoch {}, at {} of the "
                    "learning rate",
                    *bad_step, state.epochs, state.rate));
  }
}

}  // namespace

void prepare_training(int threads) {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
  at::set_num_threads(threads > 0 ? threads
                                  : static_cast<int>(std::thread::hardware_concurrency()));
}

TeacherLogits ask_teacher(const Graph& teacher, const Dataset& data, const TrainOptions& options) {
  if (options.teacher_weight <= 0) return {};
  TeacherLogits result{.plain = outputs(teacher, data)};
  if (options.augment.flip) result.flipped = outputs(teacher, mirrored(data));
  if (gives_probabilities(teacher)) {
    for (std::vector<float>* all : {&result.plain, &result.flipped}) {
      at::Tensor probabilities = at::from_blob(all->data(), {std::ssize(*all)});
      probabilities.copy_(logits_of(probabilities));
    }
  }
  return result;
}

Json to_json(const TrainOptions& options) {
  return {{"epochs", options.epochs},
          {"batch", options.batch},
          {"learning_rate", options.learning_rate},
          {"label_smoothing", options.label_smoothing},
          {"clip", options.clip},
          {"augment", augment_text(options.augment)},
          {"teacher_weight", options.teacher_weight},
          {"seed", options.seed}};
}

Graph train(const Graph& graph, const Dataset& data, const TrainOptions& options,
            Progress& progress) {
  return train_with(kSingle, graph, data, options, progress);
}

Graph train_with(const TraineeKind& kind, const Graph& graph, const Dataset& data,
                 const TrainOptions& options, Progress& progress) {
  check_fits(graph, data);
  if (data.classes.empty() && options.teacher == nullptr) {
    fail("{} has no labels, and there is no network to learn from", data.name);
  }
  Checkpoint state = begin(kind, graph, data, options, progress);
  if (Team* team = Team::current()) {
    if (std::min(options.batch, data.size()) < team->size()) {
      fail("a batch of {} images is too small for {} processes",
           std::min(options.batch, data.size()), team->size());
    }
    Job job{.kind = kind.name, .start = state, .options = options, .teacher = {}};
    if (options.teacher != nullptr) job.teacher = *options.teacher;
    give_job(*team, job, data);
  }
  train_to_end(state, kind, data, options, progress);
  return state.graph;
}

void dismiss_helpers() { give_job(*Team::current(), {}, {}); }

void serve_trainings() { serve_trainings({}); }

void serve_trainings(std::span<const TraineeKind> kinds) {
  Team& team = *Team::current();
  Progress quiet;
  Dataset data;
  for (Job job;;) {
    take_job(team, job, data);
    if (job.kind.empty()) return;
    const auto found = std::find_if(kinds.begin(), kinds.end(),
                                    [&](const TraineeKind& kind) { return kind.name == job.kind; });
    if (found == kinds.end() && job.kind != kSingle.name) {
      fail("the first process is of another program: it trains {}", job.kind);
    }
    job.options.teacher = job.teacher.nodes.empty() ? nullptr : &job.teacher;
    train_to_end(job.start, found == kinds.end() ? kSingle : *found, data, job.options, quiet);
  }
}

}  // namespace nestling
