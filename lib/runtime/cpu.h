// The backend that every device has.
#pragma once

#include "runtime/arena.h"
#include "runtime/backend.h"
#include "runtime/plan.h"

namespace nestling::runtime {

// One step, or what a continuation adds, on all threads of the pool.
void run_step(const Step& step, const ThreadPool& pool);

class Cpu : public Backend {
 public:
  float* reserve(uint64_t bytes) override;
  Status page_in(uint32_t /*capacity*/, const float* /*weights*/, uint64_t /*bytes*/) override {
    return {};
  }
  void page_out(uint32_t /*capacity*/) override {}
  Status prepare(const Plan& /*plan*/) override { return {}; }
  bool takes_pairs() const override { return true; }
  bool on_cpu(size_t /*step*/) const override { return true; }
  size_t at_once(size_t /*first*/) const override { return 1; }
  Status run(const Plan& plan, size_t first, size_t last, const ThreadPool& pool) override;

 private:
  Arena arena_;
};

}  // namespace nestling::runtime
