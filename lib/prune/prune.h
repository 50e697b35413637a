// The pruning loop of NestDNN (section 3.1): rank, cut, retrain, accept.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/progress.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/surgery.h"
#include "prune/ranking.h"
#include "prune/roadmap.h"
#include "train/train.h"

namespace nestling {

struct PruneOptions {
  std::string ranking = "trr";
  RankingOptions ranking_options = {};
  int64_t ranking_images = 2000;       // training images to rank by
  std::optional<double> min_accuracy;  // from 0 to 1; if absent, vanilla's less max_drop
  double max_drop = 0.03;
  double step = 0.25;    // share of the MACs that one iteration cuts
  int64_t round_to = 8;  // see rounded_width
  int max_iterations = 100;
  bool discard = false;        // a run that is in the folder, of whatever settings
  TrainOptions training = {};  // of one retraining; its teacher is set here
};

// The width for `channels` channels that are worth keeping: the next multiple of `round_to`, or of
// half of it below four times `round_to`, so that vector registers stay full.
int64_t rounded_width(int64_t channels, int64_t round_to);

// Which channels of the groups to keep so that at most `macs` are left, by group: globally the
// least important ones go first, widths are rounded up, at least one rounding step of every group
// stays. Channels keep their order. Empty if nothing more can be cut.
KeptChannels choose_channels(const Graph& graph, const ChannelGroups& groups,
                             const Importance& importance, int64_t macs, int64_t round_to);

// Prunes `vanilla` until a retrained model falls below the minimum accuracy on the validation
// split, or nothing is left to cut. Everything is chosen on a validation split of `data`, the
// training split. Commits RUN/models/NNN.onnx and RUN/roadmap.json after each iteration; a run that
// was killed goes on after its last entry and ends with the same bytes. Throws Error if the run's
// folder holds another run, or the vanilla model does not meet the minimum itself.
Roadmap prune(const Graph& vanilla, const Dataset& data, const std::filesystem::path& run,
              const PruneOptions& options, Progress& progress);

}  // namespace nestling
