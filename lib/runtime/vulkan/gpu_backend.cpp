#include "runtime/vulkan/gpu_backend.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>

#include "runtime/cpu.h"
#include "runtime/vulkan/kernels.h"

namespace nestling::runtime::vulkan {
namespace {

constexpr int kTimes = 2;  // that a step runs alone, to know what it takes: the first is slow

}  // namespace

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
  steps_.clear();
}

float* GpuBackend::reserve(uint64_t bytes) {
  forget();
  table_ = Buffer();
  scratch_ = Buffer();
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
  // Kernels read whole units of 16 bytes, which end in the mapping's last page.
  const uint64_t units = (bytes + 15) / 16 * 16;
  if (auto shared = gpu_.share(weights, units); shared.ok()) {
    segment.buffer = std::move(shared.value());
    return {};
  }
  auto allocated = gpu_.allocate(std::max<uint64_t>(units, 16));  // a descriptor needs a buffer
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
  Status status = record_all(plan);
  if (!status.ok() || checked_ || !gpu_.half()) return status;
  const Result<bool> right = right_in_half(plan);
  if (!right.ok()) return right.status();
  checked_ = true;
  if (right.value()) return {};
  gpu_.give_up_half(
      {StatusCode::device, "the GPU's float16 changes the outputs of a model too much"});
  return record_all(plan);
}

// Whether the GPU's outputs for noise are close enough to the CPU's.
Result<bool> GpuBackend::right_in_half(const Plan& plan) {
  const ThreadPool pool(1);
  const auto make_noise = [&] {
    uint32_t state = 1;
    for (const Tensor& input : plan.inputs) {
      for (size_t i = 0; i < input.elements(); ++i) {
        state = state * 1664525 + 1013904223;
        input.data[i] = static_cast<float>(state >> 8) / (1U << 23) - 1;
      }
    }
  };
  make_noise();
  if (Status status = run(plan, 0, plan.steps.size(), pool); !status.ok()) return status;
  std::vector<float> found;
  for (const Tensor& y : plan.outputs) found.insert(found.end(), y.data, y.data + y.elements());
  make_noise();
  for (const Step& step : plan.steps) run_step(step, pool);
  double most = 0, apart = 0;
  auto at = found.begin();
  for (const Tensor& y : plan.outputs) {
    for (size_t i = 0; i < y.elements(); ++i) {
      most = std::max<double>(most, std::abs(y.data[i]));
      const double difference = std::abs(y.data[i] - *at++);
      if (!std::isfinite(difference)) return false;
      apart = std::max(apart, difference);
    }
  }
  return apart <= gpu_.half_error() * most;
}

Status GpuBackend::record_all(const Plan& plan) {
  forget();
  Places places(static_cast<const float*>(arena_.data()), arena_.bytes());
  for (const Segment& segment : segments_) {
    if (segment.buffer.handle() == VK_NULL_HANDLE) break;
    const bool empty = segment.weights == nullptr;
    places.add_segment(segment.weights, empty ? 0 : segment.buffer.bytes());
  }
  Needs needs;
  std::vector<Recorded> steps;
  for (const Step& step : plan.steps) {
    const auto found = dispatches_of(step, places, gpu_, needs);
    const bool runs = found && std::all_of(found->begin(), found->end(),
                                           [&](const Dispatch& one) { return fits(one); });
    steps.emplace_back();
    if (!runs) continue;
    steps.back().dispatches = *found;
    steps.back().parts.resize(1);
  }
  scratch_ = Buffer();  // before there is another
  auto table = gpu_.allocate(needs.table.size() * sizeof(needs.table[0]));
  if (!table.ok()) return table.status();
  table_ = std::move(table.value());
  std::memcpy(table_.data(), needs.table.data(), table_.bytes());
  auto scratch = gpu_.allocate(needs.scratch * sizeof(float));
  if (!scratch.ok()) return scratch.status();
  scratch_ = std::move(scratch.value());
  if (Status status = describe(places.segments()); !status.ok()) return status;

  std::vector<VkCommandBuffer> commands;
  if (Status status = allocate(steps.size() + 1, commands); !status.ok()) return status;
  to_cpu_ = commands.back();
  for (size_t s = 0; s < steps.size(); ++s) {
    if (steps[s].parts.empty()) continue;
    steps[s].parts[0] = {commands[s], steps[s].dispatches.size()};
    if (Status status = record(commands[s], steps[s].dispatches); !status.ok()) return status;
  }
  steps_ = std::move(steps);
  return record(to_cpu_, {});
}

Status GpuBackend::allocate(size_t count, std::vector<VkCommandBuffer>& commands) {
  commands.resize(count);
  VkCommandBufferAllocateInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
  info.commandPool = pool_;
  info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  info.commandBufferCount = static_cast<uint32_t>(count);
  const VkResult result =
      gpu_.call().vkAllocateCommandBuffers(gpu_.device(), &info, commands.data());
  return result == VK_SUCCESS ? Status() : failed(result);
}

// A step that takes longer than a slice becomes parts that do not, each with a range of every
// dispatch's workgroups; where one waits for those before it, each with those that do not wait for
// each other.
Status GpuBackend::cut(Recorded& step) {
  constexpr double kMostParts = 64;
  const auto count =
      static_cast<uint32_t>(std::min(kMostParts, std::ceil(step.ms / gpu_.slice_ms())));
  std::vector<std::vector<Dispatch>> parts;
  for (const Dispatch& dispatch : step.dispatches) {
    if (parts.empty() || dispatch.waits) parts.resize(parts.size() + count);
    // The longer of the last two axes: shaders may take the first one's length for that of a row.
    size_t axis = dispatch.groups[1] > dispatch.groups[2] ? 1 : 2;
    if (dispatch.groups[axis] == 1) axis = 0;
    const uint64_t groups = dispatch.groups[axis];
    for (uint64_t p = 0; p < count; ++p) {
      Dispatch part = dispatch;
      part.waits = false;
      part.first[axis] = static_cast<uint32_t>(groups * p / count);
      part.groups[axis] = static_cast<uint32_t>(groups * (p + 1) / count) - part.first[axis];
      if (part.groups[axis] > 0) parts[parts.size() - count + p].push_back(part);
    }
  }
  std::erase_if(parts, [](const auto& part) { return part.empty(); });
  if (parts.empty()) return {};
  std::vector<VkCommandBuffer> commands;
  if (Status status = allocate(parts.size(), commands); !status.ok()) return status;
  step.parts.clear();
  for (size_t p = 0; p < parts.size(); ++p) {
    if (Status status = record(commands[p], parts[p]); !status.ok()) return status;
    step.parts.push_back({commands[p], parts[p].size()});
  }
  return {};
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
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, segments + kOwnBuffers};
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
                                              {table_.handle(), 0, VK_WHOLE_SIZE},
                                              {scratch_.handle(), 0, VK_WHOLE_SIZE}};
  for (uint32_t k = 0; k < segments; ++k) {
    const Buffer& buffer = segments_[k].buffer;
    buffers.push_back({buffer.handle(), buffer.offset(), buffer.bytes()});
  }
  VkWriteDescriptorSet writes[kOwnBuffers + 1]{};
  for (uint32_t b = 0; b <= kOwnBuffers; ++b) {
    writes[b].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    writes[b].dstSet = set_;
    writes[b].dstBinding = b;
    writes[b].descriptorCount = b == kOwnBuffers ? segments : 1;
    writes[b].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    writes[b].pBufferInfo = &buffers[b];
  }
  call.vkUpdateDescriptorSets(gpu_.device(), kOwnBuffers + 1, writes, 0, nullptr);
  return {};
}

// A step's commands; or, of none, those that make results visible to the CPU.
Status GpuBackend::record(VkCommandBuffer commands, const std::vector<Dispatch>& dispatches) {
  const VolkDeviceTable& call = gpu_.call();
  const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  VkResult result = call.vkBeginCommandBuffer(commands, &begin);
  if (result != VK_SUCCESS) return failed(result);
  // What was written before is read, and what was read may be written.
  const auto wait = [&](VkPipelineStageFlags next, VkAccessFlags access) {
    VkMemoryBarrier barrier{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER};
    barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
    barrier.dstAccessMask = access;
    call.vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, next, 0, 1, &barrier,
                              0, nullptr, 0, nullptr);
  };
  const auto wait_for_kernels = [&] {
    wait(VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
         VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
  };
  if (dispatches.empty()) {
    wait(VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT);
  } else {
    wait_for_kernels();
  }
  call.vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout_.pipeline, 0, 1,
                               &set_, 0, nullptr);
  for (const Dispatch& dispatch : dispatches) {
    const auto pipeline = gpu_.pipeline(dispatch.kernel);
    if (!pipeline.ok()) return pipeline.status();
    if (dispatch.waits) wait_for_kernels();
    call.vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.value());
    call.vkCmdPushConstants(commands, layout_.pipeline, VK_SHADER_STAGE_COMPUTE_BIT, 0, kPushBytes,
                            dispatch.push.data());
    const auto &first = dispatch.first, &groups = dispatch.groups;
    call.vkCmdDispatchBase(commands, first[0], first[1], first[2], groups[0], groups[1], groups[2]);
  }
  result = call.vkEndCommandBuffer(commands);
  return result == VK_SUCCESS ? Status() : failed(result);
}

// Steps that together should take no longer than a slice; one that is to be timed, or takes longer
// by itself, is alone.
size_t GpuBackend::at_once(size_t first) const {
  const double most = gpu_.slice_ms();
  if (most <= 0) return steps_.size();
  const auto alone = [](const Recorded& step) {
    return step.parts.size() > 1 || (!step.parts.empty() && step.timed < kTimes);
  };
  size_t last = first;
  for (double ms = 0; last < steps_.size(); ++last) {
    ms += steps_[last].ms;
    if (last > first && (ms > most || alone(steps_[first]) || alone(steps_[last]))) break;
  }
  return last - first;
}

Status GpuBackend::submit(size_t first, size_t last) {
  Recorded& step = steps_[first];
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  if (last - first == 1) {
    for (const Part& part : step.parts) {
      const std::array commands{part.commands, to_cpu_};
      if (Status status = gpu_.submit(commands, part.dispatches); !status.ok()) return status;
    }
    if (step.timed == kTimes) return {};
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    step.ms = step.timed++ == 0 ? ms : std::min(step.ms, ms);
    const double most = gpu_.slice_ms();
    return step.timed == kTimes && most > 0 && step.ms > most ? cut(step) : Status();
  }
  std::vector<VkCommandBuffer> batch;
  size_t dispatches = 0;
  for (size_t s = first; s < last; ++s) {
    batch.push_back(steps_[s].parts.front().commands);
    dispatches += steps_[s].parts.front().dispatches;
  }
  batch.push_back(to_cpu_);
  return gpu_.submit(batch, dispatches);
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
