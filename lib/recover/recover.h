// Freeze-&-grow over a whole roadmap: the multi-capacity model.
#pragma once

#include <filesystem>
#include <string>

#include "base/progress.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/nesting.h"
#include "recover/choose.h"
#include "train/train.h"

namespace nestling {

// The first weights of what a larger capacity adds.
enum class Regrown {
  entry,    // those of the roadmap's entry that it is
  vanilla,  // the vanilla model's
  fresh,    // drawn anew
};
const char* regrown_name(Regrown regrown);
Regrown regrown_from_name(const std::string& name);  // throws Error

struct RecoverOptions {
  int capacities = 5;
  Spread spread = Spread::macs;
  Regrown regrown = Regrown::entry;
  Growth growth = Growth::full;
  // Of causal growth: each capacity is trained by itself, what the smaller ones have frozen, as it
  // always is in full growth. Otherwise all are trained together, as they always are in joint.
  bool one_by_one = false;
  bool discard = false;        // a recovery of that growth and number, of whatever settings
  TrainOptions training = {};  // of each capacity; its teacher and masks are set here
};

// Whether all capacities are trained at once, or one after the other.
bool trains_together(const RecoverOptions& options);

// Grows the seed of RUN's roadmap into a model of `capacities` capacities, trained on `data`, the
// training split, with the vanilla model as the teacher. Commits RUN/GROWTH-K/capacityN.onnx after
// each step, or joint.onnx, and at last RUN/multicapacity.onnx, which is returned; a run that was
// killed goes on after its last step and ends with the same bytes. Throws Error if the roadmap is
// not complete, was made from other data, or the folder holds a run with other settings.
Graph recover(const std::filesystem::path& run, const Dataset& data, const RecoverOptions& options,
              Progress& progress);

}  // namespace nestling
