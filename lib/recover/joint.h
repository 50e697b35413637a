// Joint growing: all capacities trained together over the same weights, as slimmable networks are
// (Yu, Yang, Xu, Yang, Huang, ICLR 2019; the rule of what a step trains: Yu, Huang, ICCV 2019).
#pragma once

#include <vector>

#include "base/progress.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/nesting.h"
#include "train/train.h"

namespace nestling {

// A nested model to begin with: each weight from the smallest of `capacities` that has it, whose
// channels are prefixes of the larger ones'; batch norms, biases and heads are each one's own.
Graph join(const std::vector<Graph>& capacities, const Nesting& nesting);

// Trains all capacities of `nested`. Every step trains the largest, the smallest, and two others
// that are drawn; the largest learns from labels alone, as it is to become better than the teacher,
// the others, with the teacher's weight, from the mean of the teacher's outputs and the largest's
// own for the same images; without labels all learn from the teacher (train/distillation.h). In
// causal growth weights of a smaller capacity's filters for channels that it lacks are zero, and
// stay so. Throws as train().
Graph train_joint(const Graph& nested, const Dataset& data, const TrainOptions& options,
                  Progress& progress);

// serve_trainings(), of a team whose process 0 recovers.
void serve_recoveries();

}  // namespace nestling
