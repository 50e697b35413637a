// A training as process 0 of a team hands it to the others.
#pragma once

#include <string>

#include "data/dataset.h"
#include "train/checkpoint.h"
#include "train/team.h"
#include "train/train.h"

namespace nestling {

struct Job {
  std::string kind;      // of the Trainee; empty: there are no more
  Checkpoint start;      // but for `training`
  TrainOptions options;  // but for the checkpoint and the teacher
  Graph teacher;         // without nodes: none
};

// Process 0 gives, the others take, at the same time. Images that all others have still from the
// job before, in `data`, are not sent again.
void give_job(Team& team, const Job& job, const Dataset& data);
void take_job(Team& team, Job& job, Dataset& data);

}  // namespace nestling
