// The Vulkan device below the models: its memory, its kernels, its queue.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <span>
#include <tuple>
#include <volk.h>

#include "runtime/vulkan/device.h"

namespace nestling::runtime::vulkan {

class Gpu;

// Memory that the device and the CPU both see, mapped as long as it exists. Movable, not copyable.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  VkBuffer handle() const { return buffer_; }  // null where there is none
  void* data() const { return data_; }         // null if it is shared
  uint64_t offset() const { return offset_; }
  uint64_t bytes() const { return bytes_; }  // behind the offset

 private:
  friend class Gpu;
  const Gpu* gpu_ = nullptr;
  VkBuffer buffer_ = VK_NULL_HANDLE;
  VkDeviceMemory memory_ = VK_NULL_HANDLE;
  void* data_ = nullptr;
  uint64_t offset_ = 0, bytes_ = 0;
};

// A shader and the constants that it is compiled with: the first three are the sizes of a
// workgroup, the fourth the number of segments (shaders/memory.glsl).
enum class Shader {
  conv,
  conv_shared,
  conv_half,
  conv_shared_half,
  winograd_inputs,
  winograd_weights,
  winograd_multiply,
  winograd_multiply_shared,
  winograd_outputs,
  depthwise,
  window,
  map,
  lines,
  matmul,
  resize,
  conv_transpose
};
inline constexpr size_t kConstants = 9;
struct Kernel {
  Shader shader;
  std::array<uint32_t, kConstants> constants{};
  bool operator<(const Kernel& other) const {
    return std::tie(shader, constants) < std::tie(other.shader, other.constants);
  }
};

inline constexpr uint32_t kPushBytes = 128;  // that every device has
inline constexpr uint32_t kOwnBuffers = 3;   // bindings before the segments: shaders/memory.glsl

class Gpu {
 public:
  static Result<std::vector<DeviceInfo>> list();
  static Result<std::unique_ptr<Gpu>> open(size_t number, const DeviceOptions& options);
  ~Gpu();
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  const DeviceInfo& info() const { return info_; }
  VkDevice device() const { return device_; }
  const VolkDeviceTable& call() const { return call_; }
  const VkPhysicalDeviceLimits& limits() const { return limits_; }
  uint32_t family() const { return family_; }
  // Whether eight invocations that follow each other along a workgroup's first axis are a subgroup,
  // and can give each other numbers: so it is where lanes of the CPU's vectors are invocations.
  bool rows_are_subgroups() const { return rows_are_subgroups_; }

  Winograd winograd() const { return winograd_; }

  // Whether kernels may compute in float16, and how much that may change a model's outputs: a part
  // of the largest. A model that it changes more ends it.
  bool half() const { return half_; }
  double half_error() const { return half_error_; }
  Status half_failure() const;
  void give_up_half(const Status& why);

  // Zeros. Fails if there is no memory, or the device cannot bind so much.
  Result<Buffer> allocate(uint64_t bytes) const;
  // Memory of the CPU's, to be read where it is, as long as it stays there. Fails if the device
  // cannot. The buffer begins at or before it, by offset().
  Result<Buffer> share(const void* data, uint64_t bytes) const;

  // What one model's descriptor set looks like, by its number of segments.
  struct Layout {
    VkDescriptorSetLayout set = VK_NULL_HANDLE;
    VkPipelineLayout pipeline = VK_NULL_HANDLE;
  };
  Result<Layout> layout(uint32_t segments);
  Status save_cache();
  // Compiled when it is first asked for.
  Result<VkPipeline> pipeline(const Kernel& kernel);

  // Whether work failed, or was not done in time. It may still go on, so nothing that it uses is
  // given back any more.
  bool lost() const { return lost_; }

  double slice_ms() const { return slice_ms_; }
  Counters counters() const;
  void count_upload(uint64_t bytes) { uploaded_bytes_ += bytes; }

  // Runs the commands, which have so many dispatches, and waits for them.
  Status submit(std::span<const VkCommandBuffer> commands, size_t dispatches);

 private:
  friend class Buffer;
  Gpu() = default;
  Status start(size_t number, const DeviceOptions& options);
  uint64_t find_share_alignment() const;
  uint64_t deadline_s() const;                  // of a submission
  Result<Layout> layout_of(uint32_t segments);  // these two while nobody else compiles
  Result<VkShaderModule> module(Shader shader);

  DeviceInfo info_;
  VkPhysicalDevice physical_ = VK_NULL_HANDLE;
  VkDevice device_ = VK_NULL_HANDLE;
  VolkDeviceTable call_{};
  VkPhysicalDeviceLimits limits_{};
  bool rows_are_subgroups_ = false;
  Winograd winograd_ = Winograd::where_it_pays;
  double slice_ms_ = 0;
  double half_error_ = 0;
  std::atomic<uint64_t> submissions_{0}, dispatches_{0}, uploaded_bytes_{0};
  mutable std::atomic<uint64_t> allocated_bytes_{0}, shared_bytes_{0};
  uint64_t share_alignment_ = 0;  // of memory that is shared; 0: none can be
  uint32_t family_ = 0;
  VkQueue queue_ = VK_NULL_HANDLE;
  VkFence fence_ = VK_NULL_HANDLE;
  std::atomic<bool> lost_{false};
  mutable std::mutex submitting_, compiling_, judging_;
  Status half_failure_;
  std::atomic<bool> half_{false};
  std::map<uint32_t, Layout> layouts_;
  std::map<Shader, VkShaderModule> modules_;
  std::map<Kernel, VkPipeline> pipelines_;
  std::string cache_file_;
  VkPipelineCache cache_ = VK_NULL_HANDLE;
  size_t cached_ = 0;  // pipelines, when the cache was saved
};

// What Vulkan calls a result, in a sentence: "the GPU has no memory left".
Status failed(VkResult result);

}  // namespace nestling::runtime::vulkan
