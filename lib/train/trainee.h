// What is trained: one network, or several that share weights.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "train/loader.h"
#include "train/network.h"
#include "train/train.h"

namespace nestling {

class Trainee {
 public:
  virtual ~Trainee() = default;
  virtual std::vector<Network::Parameter> parameters() = 0;
  // Runs step `step` of the training on a batch and adds to the parameters' gradients. Returns the
  // loss.
  virtual double learn(const Batch& batch, int64_t step) = 0;
  // All that is trained, as a checkpoint keeps it.
  virtual Graph graph() const = 0;
};

// From a graph that it, or train_with's caller, made.
using MakeTrainee = std::function<std::unique_ptr<Trainee>(const Graph& graph)>;

// train(), of whatever `make` makes of `start`.
Graph train_with(const MakeTrainee& make, const Graph& start, const Dataset& data,
                 const TrainOptions& options, Progress& progress);

}  // namespace nestling
