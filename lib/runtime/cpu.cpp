#include "runtime/cpu.h"

#include "runtime/elementwise.h"

namespace nestling::runtime {

void run_step(const Step& step, const ThreadPool& pool) {
  for (const Step& run : step.runs) run.op->run(run, pool);
  if (!step.runs.empty()) return;
  step.op->run(step, pool);
  if (!is_clamped_after(*step.op, step.low, step.high)) return;
  const float low = step.low, high = step.high;
  float* y = step.y.data;
  pool.parallel(step.y.elements(), 4096,
                [=](size_t first, size_t last) { clamp(low, high, y + first, last - first); });
}

float* Cpu::reserve(uint64_t bytes) {
  arena_ = Arena();
  // What kernels read behind a value is ignored, but must be there, and be numbers: zeros.
  if (bytes > 0) arena_ = Arena(bytes);
  return arena_.data();
}

Status Cpu::run(const Plan& plan, size_t first, size_t last, const ThreadPool& pool) {
  for (size_t s = first; s < last; ++s) run_step(plan.steps[s], pool);
  return {};
}

}  // namespace nestling::runtime
