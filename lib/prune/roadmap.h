// The ordered record of a pruning run (schemas/roadmap.schema.json).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace nestling {

// The vanilla model's own numbers of filters, by channel group.
using FiltersByGroup = std::map<std::string, std::vector<int64_t>>;

struct RoadmapEntry {
  int index = 0;
  std::string model = {};  // file, relative to the run's folder
  double accuracy = 0;     // on the validation split, by the roadmap's measure
  int64_t parameters = 0;
  int64_t macs = 0;
  FiltersByGroup pruned = {};             // cut since the entry before
  std::optional<double> latency_ms = {};  // of one inference, if the run measures it
};

// The first retrained model below the minimum accuracy, which is not an entry.
struct RejectedEntry {
  double accuracy = 0;
  int64_t macs = 0;
};

struct Roadmap {
  std::string ranking;
  // What `accuracy` is: "accuracy", or of images without labels "top-1" or "cosine", the agreement
  // with the vanilla model (train/agreement.h).
  std::string measure = "accuracy";
  double min_accuracy = 0;
  std::string data_name;
  std::string data_digest;
  std::vector<RoadmapEntry> entries;  // 0 is the vanilla model
  std::optional<RejectedEntry> rejected;
  bool complete = false;  // the run has ended; otherwise it was stopped and can go on

  // The smallest entry: all of them meet the minimum accuracy.
  const RoadmapEntry& seed() const { return entries.back(); }
};

Json to_json(const Roadmap& roadmap);

// Reads RUN/roadmap.json. Throws Error if it is missing or does not make sense; the models it names
// are not looked at.
Roadmap read_roadmap(const std::filesystem::path& run);

}  // namespace nestling
