#include "runtime/vulkan/gpu_backend.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "runtime/cpu.h"
#include "runtime/vulkan/kernels.h"

namespace nestling::runtime::vulkan {

GpuBackend::~GpuBackend() { forget(); }

// The plan that was recorded.
void GpuBackend::forget() {
  const VolkDeviceTable& call = gpu_.call();
  if (pool_ != VK_NULL_HANDLE && !gpu_.lost()) {
    call.vkDestroyCommandPool(gpu_.device(), pool_, nullptr);
    call.vkDestroyDescriptorPool(gpu_.device(), sets_, nullptr);
  }
  pool_ = VK_NULL_HANDLE;
  sets_ = VK_NULL_HANDLE;
  commands_.clear();
  dispatches_.clear();
}

float* GpuBackend::reserve(uint64_t bytes) {
  forget();
  table_ = Buffer();
  arena_ = Buffer();
  if (bytes == 0) return nullptr;
  auto allocated = gpu_.allocate(bytes);
  if (!allocated.ok()) return nullptr;
  arena_ = std::move(allocated.value());
  return static_cast<float*>(arena_.data());
}

Status GpuBackend::page_in(uint32_t capacity, const float* weights, uint64_t bytes) {
  Segment& segment = segments_[capacity - 1];
  segment.weights = weights;
  // Kernels read whole units of 16 bytes; and a descriptor needs a buffer.
  auto allocated = gpu_.allocate(std::max<uint64_t>((bytes + 15) / 16 * 16, 16));
  if (!allocated.ok()) return allocated.status();
  segment.buffer = std::move(allocated.value());
  if (bytes > 0) std::memcpy(segment.buffer.data(), weights, bytes);
  gpu_.count_upload(bytes);
  return {};
}

void GpuBackend::page_out(uint32_t capacity) {
  if (segments_[capacity - 1].buffer.handle() != VK_NULL_HANDLE) forget();
  segments_[capacity - 1] = {};
}

// Whether the device can have so many workgroups.
bool GpuBackend::fits(const Dispatch& dispatch) const {
  for (size_t axis = 0; axis < 3; ++axis) {
    if (dispatch.groups[axis] > gpu_.limits().maxComputeWorkGroupCount[axis]) return false;
  }
  return true;
}

Status GpuBackend::prepare(const Plan& plan) {
  forget();
  Places places(static_cast<const float*>(arena_.data()), arena_.bytes());
  for (const Segment& segment : segments_) {
    if (segment.buffer.handle() == VK_NULL_HANDLE) break;
    const bool empty = segment.weights == nullptr;
    places.add_segment(segment.weights, empty ? 0 : segment.buffer.bytes());
  }
  Table table(1);  // never empty
  std::vector<std::optional<std::vector<Dispatch>>> dispatches;
  for (const Step& step : plan.steps) {
    auto& of_step = dispatches.emplace_back(dispatches_of(step, places, gpu_, table));
    if (of_step && !std::all_of(of_step->begin(), of_step->end(),
                                [&](const Dispatch& dispatch) { return fits(dispatch); })) {
      of_step.reset();
    }
  }
  auto allocated = gpu_.allocate(table.size() * sizeof(table[0]));
  if (!allocated.ok()) return allocated.status();
  table_ = std::move(allocated.value());
  std::memcpy(table_.data(), table.data(), table_.bytes());
  if (Status status = describe(places.segments()); !status.ok()) return status;

  const VolkDeviceTable& call = gpu_.call();
  for (const auto& of_step : dispatches) dispatches_.push_back(of_step ? of_step->size() : 0);
  step_ms_.assign(plan.steps.size(), 0);
  commands_.resize(plan.steps.size() + 1);
  VkCommandBufferAllocateInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
  info.commandPool = pool_;
  info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  info.commandBufferCount = static_cast<uint32_t>(commands_.size());
  const VkResult result = call.vkAllocateCommandBuffers(gpu_.device(), &info, commands_.data());
  if (result != VK_SUCCESS) return failed(result);
  to_cpu_ = commands_.back();
  commands_.pop_back();
  for (size_t s = 0; s < commands_.size(); ++s) {
    if (!dispatches[s]) {
      commands_[s] = VK_NULL_HANDLE;
    } else if (Status status = record(commands_[s], *dispatches[s]); !status.ok()) {
      return status;
    }
  }
  return record(to_cpu_, {});
}

// The one descriptor set of all steps, and where commands come from.
Status GpuBackend::describe(uint32_t segments) {
  const VolkDeviceTable& call = gpu_.call();
  const auto found = gpu_.layout(segments);
  if (!found.ok()) return found.status();
  layout_ = found.value();
  VkCommandPoolCreateInfo commands{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
  commands.queueFamilyIndex = gpu_.family();
  VkResult result = call.vkCreateCommandPool(gpu_.device(), &commands, nullptr, &pool_);
  if (result != VK_SUCCESS) return failed(result);
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, segments + 2};
  VkDescriptorPoolCreateInfo pool{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO};
  pool.maxSets = 1;
  pool.poolSizeCount = 1;
  pool.pPoolSizes = &size;
  result = call.vkCreateDescriptorPool(gpu_.device(), &pool, nullptr, &sets_);
  if (result != VK_SUCCESS) return failed(result);
  VkDescriptorSetAllocateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO};
  info.descriptorPool = sets_;
  info.descriptorSetCount = 1;
  info.pSetLayouts = &layout_.set;
  result = call.vkAllocateDescriptorSets(gpu_.device(), &info, &set_);
  if (result != VK_SUCCESS) return failed(result);

  std::vector<VkDescriptorBufferInfo> buffers{{arena_.handle(), 0, VK_WHOLE_SIZE},
                                              {table_.handle(), 0, VK_WHOLE_SIZE}};
  for (uint32_t k = 0; k < segments; ++k) {
    buffers.push_back({segments_[k].buffer.handle(), 0, VK_WHOLE_SIZE});
  }
  VkWriteDescriptorSet writes[3]{};
  for (uint32_t b = 0; b < 3; ++b) {
    writes[b].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    writes[b].dstSet = set_;
    writes[b].dstBinding = b;
    writes[b].descriptorCount = b == 2 ? segments : 1;
    writes[b].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    writes[b].pBufferInfo = &buffers[b];
  }
  call.vkUpdateDescriptorSets(gpu_.device(), 3, writes, 0, nullptr);
  return {};
}

// A step's commands; or, of none, those that make results visible to the CPU.
Status GpuBackend::record(VkCommandBuffer commands, const std::vector<Dispatch>& dispatches) {
  const VolkDeviceTable& call = gpu_.call();
  const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  VkResult result = call.vkBeginCommandBuffer(commands, &begin);
  if (result != VK_SUCCESS) return failed(result);
  // What steps before have written is read, and what they read may be written.
  const bool ends = dispatches.empty();
  VkMemoryBarrier barrier{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER};
  barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
  barrier.dstAccessMask = ends ? VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT
                               : VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
  call.vkCmdPipelineBarrier(
      commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
      ends ? VK_PIPELINE_STAGE_HOST_BIT : VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1, &barrier, 0,
      nullptr, 0, nullptr);
  call.vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout_.pipeline, 0, 1,
                               &set_, 0, nullptr);
  for (const Dispatch& dispatch : dispatches) {
    const auto pipeline = gpu_.pipeline(dispatch.kernel);
    if (!pipeline.ok()) return pipeline.status();
    call.vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.value());
    call.vkCmdPushConstants(commands, layout_.pipeline, VK_SHADER_STAGE_COMPUTE_BIT, 0, kPushBytes,
                            dispatch.push.data());
    call.vkCmdDispatch(commands, dispatch.groups[0], dispatch.groups[1], dispatch.groups[2]);
  }
  result = call.vkEndCommandBuffer(commands);
  return result == VK_SUCCESS ? Status() : failed(result);
}

// Steps that together should take no longer than a slice; one that was not timed yet is alone.
size_t GpuBackend::at_once(size_t first) const {
  const double most = gpu_.slice_ms();
  if (most <= 0) return commands_.size();
  size_t last = first;
  for (double ms = 0; last < commands_.size(); ++last) {
    ms += step_ms_[last];
    if (last > first && (ms > most || step_ms_[first] <= 0 || step_ms_[last] <= 0)) break;
  }
  return last - first;
}

Status GpuBackend::submit(size_t first, size_t last) {
  std::vector<VkCommandBuffer> batch(commands_.begin() + static_cast<std::ptrdiff_t>(first),
                                     commands_.begin() + static_cast<std::ptrdiff_t>(last));
  batch.push_back(to_cpu_);
  size_t dispatches = 0;
  for (size_t s = first; s < last; ++s) dispatches += dispatches_[s];
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  Status status = gpu_.submit(batch, dispatches);
  if (status.ok() && last - first == 1 && step_ms_[first] <= 0) {
    step_ms_[first] = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  }
  return status;
}

Status GpuBackend::run(const Plan& plan, size_t first, size_t last, const ThreadPool& pool) {
  for (size_t s = first; s < last;) {
    if (on_cpu(s)) {
      run_step(plan.steps[s++], pool);
      continue;
    }
    const size_t from = s;
    while (s < last && !on_cpu(s)) ++s;
    if (Status status = submit(from, s); !status.ok()) return status;
  }
  return {};
}

}  // namespace nestling::runtime::vulkan
