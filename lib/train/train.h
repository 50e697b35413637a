// Training a network.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "data/augment.h"
#include "data/dataset.h"
#include "graph/graph.h"

namespace nestling {

// For each constant that is only partly trainable: 1 where it may change, 0 where it is frozen, in
// the constant's shape. A constant without an entry is trainable everywhere. The frozen part of a
// batch norm's scale is a prefix: those channels are normalised by their running statistics, and
// the statistics stay.
using TrainableMasks = std::map<ValueId, Tensor>;

// The logits that a teacher gives every image of a data set and, if training flips them, its mirror
// image: [N, classes]. Other changes of an image are not asked about: a second network in every
// step would make the training of a small one several times as long.
struct TeacherLogits {
  std::vector<float> plain = {}, flipped = {};
};

struct TrainOptions {
  int epochs = 4;
  int64_t batch = 128;
  double learning_rate = 0.1;  // the highest of the one-cycle schedule
  double momentum = 0.9;
  double weight_decay = 5e-4;  // of matrices and filters, not of scales, shifts and biases
  double label_smoothing = 0;  // this much of a label is spread over all classes; from 0 to 1
  double clip = 0;             // longest gradient of a step, all parameters together; 0: any
  Augment augment = {};
  uint64_t seed = 1;  // of the order of images and their changes
  TrainableMasks masks = {};

  // Knowledge distillation (Hinton, Vinyals, Dean, arXiv 1503.02531): the outputs of a teacher for
  // the training split; empty for none. The loss is
  // (1 - w) cross-entropy + w T^2 KL(teacher / T, network / T), w the teacher's weight.
  TeacherLogits teacher_logits = {};
  double teacher_weight = 0.7;
  double temperature = 3;
  // Of images without labels: the network to learn from (train/distillation.h), which outlives the
  // training.
  const Graph* teacher = nullptr;

  // Where the state is kept after each epoch; a training that finds its own state there goes on
  // from it, and ends with the same bytes as an undisturbed one. Empty: nowhere. The file is the
  // caller's to remove, once the result is safe.
  std::filesystem::path checkpoint = {};
  bool replace_checkpoint = false;  // one of another training, which otherwise is an error
};

// Prepares this process for training: the number of threads that LibTorch uses (0: one per core),
// and a heap that keeps the memory of a step for the next one, which would otherwise be mapped and
// unmapped every time. Call it once, before the first training or evaluation.
void prepare_training(int threads);

// For TrainOptions::teacher_logits; none if the teacher weighs nothing.
TeacherLogits ask_teacher(const Graph& teacher, const Dataset& data, const TrainOptions& options);

// What of the options a user sets and decides the result: for the settings of a run.
Json to_json(const TrainOptions& options);

// Trains with stochastic gradient descent, Nesterov momentum and a one-cycle schedule (Smith,
// arXiv 1803.09820): up over the first quarter, down to zero along a cosine. Where the loss becomes
// infinite it begins again after the last epoch, at half the rate, and says so. Same graph, data,
// options, machine and threads: same result. In a team (train/team.h) the others have to be
// serving: each computes a part of every batch, and the loss is that of one process but for
// rounding. Throws Error if data and graph do not fit, the loss becomes infinite time and again, or
// the checkpoint is damaged, another training's, or cannot be written.
Graph train(const Graph& graph, const Dataset& data, const TrainOptions& options,
            Progress& progress);

// In process 0 of a team: there are no more trainings.
void dismiss_helpers();

// In a process of a team that is not its first: takes part in all trainings of process 0 until that
// has no more. Throws Error if it is gone.
void serve_trainings();

}  // namespace nestling
