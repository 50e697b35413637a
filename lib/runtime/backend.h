// Where the steps of a plan run: the CPU, or a device that shares the arena with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/status.h"

namespace nestling::runtime {

struct Plan;
class ThreadPool;

// Of one model; calls come one at a time.
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  // The arena: zeros, aligned to a cache line, which the CPU may read and write between steps. The
  // one before goes first: there are never two. Null if there is no memory, or for 0 bytes.
  virtual float* reserve(uint64_t bytes) = 0;

  // The segment of a capacity is there, or no longer; it stays where it is meanwhile.
  virtual Status page_in(uint32_t capacity, const float* weights, uint64_t bytes) = 0;
  virtual void page_out(uint32_t capacity) = 0;

  // The next inferences are of this plan, which lies in the arena and in segments that are there.
  virtual Status prepare(const Plan& plan) = 0;

  // Whether plans may have layers in pairs (Stage).
  virtual bool takes_pairs() const = 0;

  // Whether a step of that plan runs on the CPU.
  virtual bool on_cpu(size_t step) const = 0;

  // How many steps from `first` on are best run by one call; an inference can be cancelled between
  // calls.
  virtual size_t at_once(size_t first) const = 0;

  // Runs the steps first..last - 1. Whatever fails, the arena can be used on.
  virtual Status run(const Plan& plan, size_t first, size_t last, const ThreadPool& pool) = 0;
};

// A processor beside the CPU, which has a backend for each model. It lives longer than these.
class Accelerator {
 public:
  Accelerator() = default;
  Accelerator(const Accelerator&) = delete;
  Accelerator& operator=(const Accelerator&) = delete;
  virtual ~Accelerator() = default;
  virtual std::unique_ptr<Backend> backend(uint32_t capacities) = 0;
};

}  // namespace nestling::runtime
