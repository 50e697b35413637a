// Stochastic gradient descent with Nesterov momentum.
#pragma once

#include <vector>

#include "train/network.h"
#include "train/train.h"

namespace nestling {

// The rate's schedule: from 0 to 1 and back to 0 over the training; `at` from 0 to 1.
double one_cycle(double at);

class Sgd {
 public:
  // `momentum` is that of a checkpoint, or empty at the start. Parameters are changed in place.
  Sgd(std::vector<Network::Parameter> parameters, const TrainOptions& options,
      const std::vector<Tensor>& momentum);

  std::vector<Tensor> momentum() const;  // by parameter

  // Takes the gradients that the parameters have, and away. A frozen entry sees a gradient of
  // exactly zero, so it keeps its bits.
  void step(double learning_rate);

 private:
  double shortening();

  std::vector<Network::Parameter> parameters_;
  const TrainOptions& options_;
  std::vector<at::Tensor> velocity_;
};

}  // namespace nestling
