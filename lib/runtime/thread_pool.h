// The threads of a model.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <pthreadpool.h>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace nestling::runtime {

class ThreadPool {
 public:
  // With one thread, or fewer, everything runs in the caller's.
  explicit ThreadPool(int threads) : threads_(static_cast<size_t>(std::max(threads, 1))) {
    if (threads_ > 1) {
      pool_.reset(pthreadpool_create(threads_));
      taken_ = std::make_unique<std::atomic<bool>[]>(threads_);
    }
  }

  size_t threads() const { return threads_; }

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
    const size_t tiles = (count + tile - 1) / tile;
    if (pool_ == nullptr || tiles < 2) {
      work(0, count);
      return;
    }
    const size_t part = (tiles + threads_ * 4 - 1) / (threads_ * 4) * tile;
    void* context = const_cast<F*>(&work);
    release(context);
    pthreadpool_parallelize_1d_tile_1d(
        pool_.get(),
        [](void* given, size_t first, size_t size) {
          acquire(given);
          (*static_cast<const F*>(given))(first, first + size);
          release(given);
        },
        context, count, part, 0);
    acquire(context);
    awake_ = true;
  }

  // Threads wait for the next layer awake, as waking them takes longer than many layers do. This
  // lets them sleep: after an inference, or whenever nothing may come for a while.
  void rest() const {
    if (!awake_) return;
    pthreadpool_parallelize_1d(
        pool_.get(), [](void*, size_t) {}, nullptr, threads_, PTHREADPOOL_FLAG_YIELD_WORKERS);
    awake_ = false;
  }

 private:
  // The thread sanitizer cannot see the library's own synchronisation, so it is told of it.
  static void acquire([[maybe_unused]] void* context) {
#ifdef __SANITIZE_THREAD__
    __tsan_acquire(context);
#endif
  }
  static void release([[maybe_unused]] void* context) {
#ifdef __SANITIZE_THREAD__
    __tsan_release(context);
#endif
  }

  struct Destroy {
    void operator()(pthreadpool_t pool) const { pthreadpool_destroy(pool); }
  };
  size_t threads_;
  mutable bool awake_ = false;
  std::unique_ptr<pthreadpool, Destroy> pool_;  // null with one thread
  std::unique_ptr<std::atomic<bool>[]> taken_;  // slots; null with one thread
};

}  // namespace nestling::runtime
