// The batches of a training, each made by another thread while the step before it runs.
#pragma once

#include <cstdint>
#include <future>
#include <vector>

#include "data/augment.h"
#include "data/dataset.h"
#include "train/torch.h"

namespace nestling {

// Made of plain memory: LibTorch's operators bring threads of their own into every thread that
// calls them, which made each step 1.7 times as long.
struct Batch {
  std::vector<int64_t> indices;
  std::vector<int64_t> shape;    // [N, C, H, W]
  std::vector<float> pixels;     // normalised and changed
  std::vector<int64_t> labels;   // [N]
  std::vector<uint8_t> flipped;  // by image
  double share = 1;              // of the whole batch, which a team's processes divide

  // As tensors on device(), as long as the batch is there.
  at::Tensor images() const {
    return at::from_blob(const_cast<float*>(pixels.data()), shape).to(device());
  }
  at::Tensor targets() const {
    return at::from_blob(const_cast<int64_t*>(labels.data()), {shape[0]}, at::kLong).to(device());
  }
};

// The part of a batch that process `rank` of `size` computes.
Batch part_of(Batch batch, int rank, int size);

// Deals the images of an epoch in a random order; the last ones, fewer than a batch, are left out:
// batch norm needs many images. What batch `step` of all is depends on the arguments only, so a
// training that goes on sees what it would have seen. Not thread-safe; the data must outlive it.
class Loader {
 public:
  Loader(const Dataset& data, const Augment& augment, int64_t batch, int64_t first_step,
         int64_t steps, uint64_t seed);

  static int64_t steps_an_epoch(const Dataset& data, int64_t batch);

  Batch next();  // at most as often as there are steps left

 private:
  Batch make(int64_t step);
  void ask();

  const Dataset& data_;
  const Augment augment_;
  const int64_t batch_, steps_;
  const uint64_t seed_;
  int64_t step_;  // of the batch that is made now
  std::vector<int64_t> order_;
  int64_t order_epoch_ = -1;
  std::future<Batch> coming_;  // last: its thread uses what is above
};

}  // namespace nestling
