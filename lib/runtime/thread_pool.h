// The threads of a model.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>

#include "runtime/team.h"
#include "runtime/workers.h"

namespace nestling::runtime {

class ThreadPool {
 public:
  // With one thread, or fewer, everything runs in the caller's.
  explicit ThreadPool(int threads, const Workers& workers = {})
      : threads_(static_cast<size_t>(std::max(threads, 1))), workers_(workers) {
    if (threads_ == 1) return;
    if (workers_.run == nullptr) team_ = std::make_unique<Team>(threads_);
    taken_ = std::make_unique<std::atomic<bool>[]>(threads_);
  }

  size_t threads() const { return threads_; }
  // How many parts make the threads' shares even, though some run slower than others.
  size_t wanted_parts() const { return threads_ > 1 ? 4 * threads_ : 1; }

  // A number below threads() that no other thread of the pool has meanwhile: of a part of memory,
  // for example.
  class Slot {
   public:
    explicit Slot(const ThreadPool& pool) : taken_(pool.taken_.get()) {
      if (taken_ == nullptr) return;
      while (taken_[number_].exchange(true, std::memory_order_acquire)) {
        number_ = (number_ + 1) % pool.threads_;
      }
    }
    ~Slot() {
      if (taken_ != nullptr) taken_[number_].store(false, std::memory_order_release);
    }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    size_t number() const { return number_; }

   private:
    std::atomic<bool>* taken_;
    size_t number_ = 0;
  };

  // Calls work(first, last) for parts of 0..count, on all threads, and returns when all are done.
  // Parts begin at multiples of `tile`.
  template <typename F>
  void parallel(size_t count, size_t tile, const F& work) const {
    run(count, tile,
        {[](const void* context, size_t first, size_t last) {
           (*static_cast<const F*>(context))(first, last);
         },
         &work});
  }

  // Lets the model's own threads sleep: after an inference, or whenever nothing may come for a
  // while.
  void rest() const {
    if (team_ != nullptr) team_->rest();
  }

 private:
  // Somebody's work, behind an address: it is compiled once, for all the ways to run it.
  struct Work {
    void (*call)(const void* context, size_t first, size_t last);
    const void* context;
    size_t count = 0, tile = 0, tiles = 0, parts = 0;

    void operator()(size_t i) const {
      call(context, i * tiles / parts * tile, std::min(count, (i + 1) * tiles / parts * tile));
    }
  };

  void run(size_t count, size_t tile, Work work) const {
    const size_t tiles = (count + tile - 1) / tile;
    if (threads_ == 1 || tiles < 2) {
      work.call(work.context, 0, count);
      return;
    }
    work.count = count;
    work.tile = tile;
    work.tiles = tiles;
    work.parts = std::min(tiles, wanted_parts());
    const auto run_part = [](void* given, size_t i) { (*static_cast<const Work*>(given))(i); };
    if (team_ != nullptr) return team_->run(work.parts, run_part, &work);
    workers_.run(workers_.self, work.parts, run_part, &work);
  }

  size_t threads_;
  Workers workers_;
  std::unique_ptr<Team> team_;                  // null with one thread, or with workers
  std::unique_ptr<std::atomic<bool>[]> taken_;  // slots; null with one thread
};

}  // namespace nestling::runtime
