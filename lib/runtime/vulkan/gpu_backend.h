// A model's backend on a GPU.
#pragma once

#include <vector>

#include "runtime/backend.h"
#include "runtime/plan.h"
#include "runtime/vulkan/gpu.h"
#include "runtime/vulkan/kernels.h"

namespace nestling::runtime::vulkan {

// Activations lie in one buffer that the CPU sees, laid out as for the CPU: so a step that has no
// kernel simply runs there. Weights are copied, a buffer a segment; kernels read them as the
// package has them.
class GpuBackend : public Backend {
 public:
  GpuBackend(Gpu& gpu, uint32_t capacities) : gpu_(gpu), segments_(capacities) {}
  ~GpuBackend() override;

  float* reserve(uint64_t bytes) override;
  Status page_in(uint32_t capacity, const float* weights, uint64_t bytes) override;
  void page_out(uint32_t capacity) override;
  Status prepare(const Plan& plan) override;
  bool takes_pairs() const override { return false; }
  bool on_cpu(size_t step) const override { return steps_[step].parts.empty(); }
  size_t at_once(size_t first) const override;
  Status run(const Plan& plan, size_t first, size_t last, const ThreadPool& pool) override;

 private:
  struct Segment {
    const float* weights = nullptr;  // where the package has them
    Buffer buffer;
  };
  struct Part {
    VkCommandBuffer commands = VK_NULL_HANDLE;
    size_t dispatches = 0;
  };
  struct Recorded {
    std::vector<Dispatch> dispatches;
    std::vector<Part> parts;  // one, if it is not cut; none: it runs on the CPU
    int timed = 0;            // how often it ran alone
    double ms = 0;            // the least that it took then
  };
  void forget();
  Status record_all(const Plan& plan);
  Result<bool> right_in_half(const Plan& plan);
  Status allocate(size_t count, std::vector<VkCommandBuffer>& commands);
  Status cut(Recorded& step);
  Status describe(uint32_t segments);
  Status submit(size_t first, size_t last);
  bool fits(const Dispatch& dispatch) const;
  Status record(VkCommandBuffer commands, const std::vector<Dispatch>& dispatches);

  Gpu& gpu_;
  Buffer arena_, table_, scratch_;
  std::vector<Segment> segments_;  // by capacity
  Gpu::Layout layout_;             // the device's, of as many segments
  VkDescriptorPool sets_ = VK_NULL_HANDLE;
  VkDescriptorSet set_ = VK_NULL_HANDLE;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  bool checked_ = false;  // against the CPU, as far as it computes in float16
  std::vector<Recorded> steps_;
  VkCommandBuffer to_cpu_ = VK_NULL_HANDLE;  // behind the last of a submission
};

}  // namespace nestling::runtime::vulkan
