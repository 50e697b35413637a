// What is trained: one network, or several that share weights.
#pragma once

#include <memory>
#include <span>
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

// How one is made of a graph that it, or train_with's caller, made. The name is how the processes
// of a team call it.
struct TraineeKind {
  const char* name;
  std::unique_ptr<Trainee> (*make)(const Graph& graph, const Dataset& data,
                                   const TrainOptions& options);
};

// train(), of whatever `kind` makes of `start`.
Graph train_with(const TraineeKind& kind, const Graph& start, const Dataset& data,
                 const TrainOptions& options, Progress& progress);

// serve_trainings(), of these kinds beside train()'s.
void serve_trainings(std::span<const TraineeKind> kinds);

}  // namespace nestling
