#include "train/loader.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "base/random.h"

namespace nestling {

Batch part_of(Batch batch, int rank, int size) {
  const int64_t images = batch.shape[0];
  const int64_t first = images * rank / size, end = images * (rank + 1) / size;
  const int64_t pixels = std::ssize(batch.pixels) / images;
  const auto cut = [&](auto& items, int64_t each) {
    items.erase(items.begin() + end * each, items.end());
    items.erase(items.begin(), items.begin() + first * each);
  };
  cut(batch.indices, 1);
  cut(batch.pixels, pixels);
  cut(batch.labels, 1);
  cut(batch.flipped, batch.flipped.empty() ? 0 : 1);
  batch.shape[0] = end - first;
  batch.share = static_cast<double>(end - first) / static_cast<double>(images);
  return batch;
}

int64_t Loader::steps_an_epoch(const Dataset& data, int64_t batch) {
  return data.size() / std::min(batch, data.size());
}

Loader::Loader(const Dataset& data, const Augment& augment, int64_t batch, int64_t first_step,
               int64_t steps, uint64_t seed)
    : data_(data),
      augment_(augment),
      batch_(std::min(batch, data.size())),
      steps_(steps),
      seed_(seed),
      step_(first_step),
      order_(static_cast<size_t>(data.size())) {
  ask();
}

void Loader::ask() {
  if (step_ < steps_) coming_ = std::async(std::launch::async, [this] { return make(step_); });
}

Batch Loader::next() {
  Batch batch = coming_.get();
  ++step_;
  ask();
  return batch;
}

Batch Loader::make(int64_t step) {
  const int64_t per_epoch = steps_an_epoch(data_, batch_);
  const int64_t epoch = step / per_epoch;
  if (epoch != order_epoch_) {
    std::iota(order_.begin(), order_.end(), 0);
    Random(sub_seed(seed_, {static_cast<uint64_t>(epoch)})).shuffle(order_);
    order_epoch_ = epoch;
  }
  const std::span<const int64_t> part(order_.data() + step % per_epoch * batch_,
                                      static_cast<size_t>(batch_));
  Batch batch;
  batch.indices.assign(part.begin(), part.end());
  batch.shape = {batch_, data_.channels, data_.height, data_.width};
  batch.pixels = augmented(data_, part, augment_,
                           sub_seed(seed_, {static_cast<uint64_t>(epoch), 1}), &batch.flipped);
  for (const int64_t index : part) {
    batch.labels.push_back(data_.labels[static_cast<size_t>(index)]);
  }
  return batch;
}

}  // namespace nestling
