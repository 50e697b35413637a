// The pruning loop of NestDNN (section 3.1): rank, cut, retrain, accept.
#pragma once

#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/surgery.h"
#include "prune/ranking.h"
#include "prune/roadmap.h"
#include "train/train.h"

namespace nestling {

// What may be cut at all.
struct CutRules {
  std::vector<std::string> skip =
      {};  // leave the groups with a layer of these names: * and ? as in a shell
  std::vector<std::string> only = {};  // if not empty, cut only those
  double max_cut = 1;    // share of a group's channels that may go, of the vanilla model's
  int64_t round_to = 8;  // see rounded_width
};

// What a model may cost.
struct Budget {
  int64_t macs = std::numeric_limits<int64_t>::max();
  int64_t parameters = std::numeric_limits<int64_t>::max();
  double latency_ms = std::numeric_limits<double>::infinity();
};

// How long one inference of a model takes, in milliseconds, where it is to run.
using LatencyOf = std::function<double(const Graph&)>;

struct PruneOptions {
  std::string ranking = "trr";
  std::string agreement = {};  // of images without labels: train/agreement.h; "" is the default
  RankingOptions ranking_options = {};
  Scope scope = Scope::layer;
  bool per_macs = false;               // scores by what a channel costs
  bool reconstruct = false;            // after each cut: prune/reconstruct.h
  int64_t ranking_images = 2000;       // training images to rank by, and to reconstruct with
  std::optional<double> min_accuracy;  // from 0 to 1; if absent, vanilla's less max_drop
  double max_drop = 0.03;
  double step = 0.25;  // share that one iteration cuts: of the MACs, or of what `target` limits
  std::optional<Budget> target = {};  // the pruning ends with the first entry within it
  LatencyOf latency = {};             // needed if `target` limits it; every entry is measured
  CutRules rules = {};
  // Give convolutions batch norms for the retraining, if the network has none
  // (graph/batch_norms.h).
  bool rebatchnorm = true;
  int max_iterations = 100;
  bool discard = false;        // a run that is in the folder, of whatever settings
  TrainOptions training = {};  // of one retraining; its teacher is set here
};

// The width for `channels` channels that are worth keeping: the next multiple of `round_to`, or of
// half of it below four times `round_to`, so that vector registers stay full.
int64_t rounded_width(int64_t channels, int64_t round_to);

// Fixes the groups that the rules leave. Throws Error if a name fits no layer.
void apply(const CutRules& rules, const Graph& graph, ChannelGroups& groups);

// Which channels of the groups to keep so that the graph is within `budget`, by group: globally the
// least important ones go first, widths are rounded up, at least one rounding step of every group
// stays, and `least[group]` channels. Channels keep their order. The most that can be cut if that
// is not enough; empty if it is nothing. `latency` measures what the budget limits.
KeptChannels choose_channels(const Graph& graph, const ChannelGroups& groups,
                             const Importance& importance, const Budget& budget, int64_t round_to,
                             const std::vector<int64_t>& least = {}, const LatencyOf& latency = {});

// Prunes `model` until a retrained model falls below the minimum accuracy on the validation
// split, the target is reached, or nothing is left to cut. Everything is chosen on a validation
// split of `data`, the training split. Commits RUN/models/NNN.onnx and RUN/roadmap.json after each
// iteration; a run that was killed goes on after its last entry and ends with the same bytes,
// unless it measures latencies.
// Throws Error if the run's folder holds another run, or the vanilla model does not meet the
// minimum itself.
Roadmap prune(const Graph& model, const Dataset& data, const std::filesystem::path& run,
              const PruneOptions& options, Progress& progress);

}  // namespace nestling
