// The state of a training between two epochs, on disk, so that one that is stopped can go on.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace nestling {

struct Checkpoint {
  std::string training;          // digest of everything that decides the training's bytes
  int epochs = 0;                // finished
  double mean_loss = 0;          // running mean, as shown
  double rate = 1;               // of the learning rate: halved each time the training diverged
  Graph graph;                   // with the weights and statistics reached
  std::vector<Tensor> momentum;  // of each trainable constant
};

// Writes atomically: one line of JSON (fields, digest of the rest), then the constants of the graph
// by ValueId and the momentum, as little-endian float32.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

// Reads the checkpoint of the training that began at `start`, whose momentum has the shapes that
// the file's has. Nothing if there is no file, or it belongs to another training. Throws Error if
// the file is damaged.
std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& path,
                                          const Checkpoint& start);

// Removes the file and says whether there was one. For when the training's result is safe.
bool remove_checkpoint(const std::filesystem::path& path);

}  // namespace nestling
