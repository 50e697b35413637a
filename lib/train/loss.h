// What a training lowers.
#pragma once

#include <optional>

#include "train/distillation.h"
#include "train/loader.h"
#include "train/network.h"
#include "train/train.h"

namespace nestling {

// Logits whose softmax they are, all finite: 0 counts as the least positive float.
at::Tensor logits_of(const at::Tensor& probabilities);

// Not thread-safe; data and options must outlive it.
class Loss {
 public:
  // Of training `graph` on `data`. Throws Error if the teacher's outputs are of other data.
  Loss(const Graph& graph, const Dataset& data, const TrainOptions& options);

  // Runs the network on the batch, in training mode. The mean of the images' losses, times the
  // batch's share.
  at::Tensor of(Network& network, const Batch& batch);

  // The same with another teacher's logits for the batch, and the network's own. Of labelled data.
  struct WithLogits {
    at::Tensor loss, logits;
  };
  WithLogits of(Network& network, const Batch& batch, const at::Tensor& teacher);

  // What TrainOptions::teacher_logits has for the batch; undefined if nothing.
  at::Tensor teacher(const Batch& batch) const;

 private:
  const TrainOptions& options_;
  const bool probabilities_;                  // are what the network gives
  std::optional<Distillation> distillation_;  // of data without labels
  at::Tensor plain_, flipped_;                // undefined without a teacher
};

}  // namespace nestling
