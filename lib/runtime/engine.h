// A package at one capacity at a time, run layer by layer: what Model and Host are made of.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/backend.h"
#include "runtime/model.h"
#include "runtime/plan.h"
#include "runtime/segments.h"
#include "runtime/thread_pool.h"

namespace nestling::runtime {

// Not thread-safe, but for prepare(), which one thread may call while another runs layers.
class Engine {
 public:
  // For a pool of `threads`; `refinable` as in ModelOptions.
  Engine(Segments segments, std::unique_ptr<Backend> backend, size_t threads, bool verify,
         bool refinable = false)
      : segments_(std::move(segments)),
        backend_(std::move(backend)),
        threads_(threads),
        verify_(verify),
        refinable_(refinable) {}

  const PackageHeader& header() const { return segments_.header(); }
  bool refinable() const { return refinable_; }
  uint32_t capacity() const { return capacity_; }
  uint32_t available() const { return segments_.available(); }
  Status refresh() { return segments_.refresh(); }
  uint64_t weights_bytes() const;  // of the segments of capacity()
  uint64_t mapped_bytes() const;   // of those that are paged in, which may be more
  uint64_t activation_bytes() const { return arena_bytes_; }
  const Places& places() const { return places_; }
  const Methods& methods() const { return methods_; }  // of capacity()

  // Pages in what `capacity` needs and is not there yet, so that set_capacity has no file to wait
  // for. What was paged in before stays if this fails.
  Status prepare(uint32_t capacity);
  // See Model; `wanted` as for lay_out(). Between inferences only.
  Status set_capacity(uint32_t capacity, const Methods& wanted = {});
  // The same, on the CPU from now on.
  Status fall_back(uint32_t capacity);

  // An inference: begin or refine, step until nothing is next, finish. It is of
  // capacity() or, if the engine is refinable, of a smaller one.
  void begin(uint32_t capacity, const float* const* inputs, const ThreadPool& pool);
  // Of the capacity above that of the inference that finished last, which there must be.
  void refine();
  size_t at_once() const { return backend_->at_once(next_); }
  // Of the layers of capacity(), those that run on the CPU.
  CpuLayers cpu_layers() const;
  // Runs the next layers, `most` of them if so many are left.
  Status step(const ThreadPool& pool, size_t most = 1);
  const NodeSpec* next() const {  // the layer that step() would run; null after the last
    return running_ > 0 && next_ < plan().steps.size() ? plan().steps[next_].node : nullptr;
  }
  void finish(float* const* outputs, const ThreadPool& pool) const;

  // Whether the file is still as it was opened (Segments).
  Status intact() const { return segments_.intact(capacity_); }

 private:
  Status check(uint32_t capacity) const;
  void page_out(uint32_t from);
  Status give(uint32_t first, uint32_t last);
  void drop();
  const Plan& plan() const { return plans_[running_ - 1]; }

  Segments segments_;
  std::unique_ptr<Backend> backend_;
  size_t threads_;
  bool verify_;  // checksums
  bool refinable_;
  uint32_t capacity_ = 0;
  uint64_t arena_bytes_ = 0;
  Places places_;
  Methods wanted_, methods_;
  std::vector<Plan> plans_;  // by capacity; but for a refinable engine only the last is there
  uint32_t running_ = 0;     // the capacity of the inference
  bool refining_ = false;    // whether it goes on from the one before
  size_t next_ = 0;          // step
};

}  // namespace nestling::runtime
