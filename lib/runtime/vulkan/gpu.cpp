#define VOLK_IMPLEMENTATION
#include "runtime/vulkan/gpu.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <unistd.h>
#include <utility>

#include "runtime/cache_file.h"
#include "runtime/vulkan/shaders.h"

namespace nestling::runtime::vulkan {
namespace {

constexpr uint32_t kVersion = VK_API_VERSION_1_1;

// The process's one instance, which stays as long as it does.
Result<VkInstance> instance() {
  static const Result<VkInstance> made = []() -> Result<VkInstance> {
    if (volkInitialize() != VK_SUCCESS) {
      return Status(StatusCode::device, "there is no Vulkan on this machine");
    }
    VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO};
    application.pApplicationName = "nestling";
    application.apiVersion = kVersion;
    VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    info.pApplicationInfo = &application;
    VkInstance handle = VK_NULL_HANDLE;
    if (const VkResult result = vkCreateInstance(&info, nullptr, &handle); result != VK_SUCCESS) {
      return failed(result);
    }
    volkLoadInstanceOnly(handle);
    return handle;
  }();
  return made;
}

// The family of queues that compute; none: the device is of no use.
std::optional<uint32_t> compute_family(VkPhysicalDevice device) {
  uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
  for (uint32_t f = 0; f < count; ++f) {
    if ((families[f].queueFlags & VK_QUEUE_COMPUTE_BIT) != 0) return f;
  }
  return std::nullopt;
}

bool has_extension(VkPhysicalDevice device, const char* name) {
  uint32_t count = 0;
  vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr);
  std::vector<VkExtensionProperties> all(count);
  vkEnumerateDeviceExtensionProperties(device, nullptr, &count, all.data());
  return std::any_of(all.begin(), all.end(), [&](const VkExtensionProperties& one) {
    return std::strcmp(one.extensionName, name) == 0;
  });
}

// What every driver's cache of pipelines begins with (Vulkan 1.1, 9.6.4).
struct CacheHeader {
  uint32_t bytes, version, vendor, device;
  uint8_t driver[VK_UUID_SIZE];
};

bool is_cache_of(const VkPhysicalDeviceProperties& device, const std::string& data) {
  CacheHeader header;
  if (data.size() < sizeof header) return false;
  std::memcpy(&header, data.data(), sizeof header);
  return header.vendor == device.vendorID && header.device == device.deviceID &&
         std::memcmp(header.driver, device.pipelineCacheUUID, VK_UUID_SIZE) == 0;
}

bool can_run(VkPhysicalDevice device) {
  VkPhysicalDeviceProperties properties;
  vkGetPhysicalDeviceProperties(device, &properties);
  VkPhysicalDeviceFeatures features;
  vkGetPhysicalDeviceFeatures(device, &features);
  return properties.apiVersion >= kVersion && compute_family(device) &&
         features.shaderStorageBufferArrayDynamicIndexing == VK_TRUE;
}

Result<std::vector<VkPhysicalDevice>> physical_devices() {
  const auto made = instance();
  if (!made.ok()) return made.status();
  VkInstance handle = made.value();
  uint32_t count = 0;
  vkEnumeratePhysicalDevices(handle, &count, nullptr);
  std::vector<VkPhysicalDevice> all(count);
  vkEnumeratePhysicalDevices(handle, &count, all.data());
  all.resize(count);
  std::erase_if(all, [](VkPhysicalDevice device) { return !can_run(device); });
  return all;
}

const char* kind_of(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return "discrete";
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return "integrated";
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return "virtual";
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return "cpu";
    default:
      return "other";
  }
}

DeviceInfo info_of(VkPhysicalDevice device) {
  VkPhysicalDeviceProperties properties;
  vkGetPhysicalDeviceProperties(device, &properties);
  VkPhysicalDeviceMemoryProperties memory;
  vkGetPhysicalDeviceMemoryProperties(device, &memory);
  uint64_t bytes = 0;
  for (uint32_t h = 0; h < memory.memoryHeapCount; ++h) {
    if ((memory.memoryHeaps[h].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0) {
      bytes = std::max<uint64_t>(bytes, memory.memoryHeaps[h].size);
    }
  }
  const uint32_t version = properties.apiVersion;
  return {properties.deviceName, kind_of(properties.deviceType),
          std::to_string(VK_API_VERSION_MAJOR(version)) + '.' +
              std::to_string(VK_API_VERSION_MINOR(version)) + '.' +
              std::to_string(VK_API_VERSION_PATCH(version)),
          bytes};
}

}  // namespace

Status failed(VkResult result) {
  switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY:
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
      return {StatusCode::no_memory, "the GPU has no memory left"};
    case VK_ERROR_DEVICE_LOST:
      return {StatusCode::device, "the GPU was lost"};
    case VK_ERROR_INCOMPATIBLE_DRIVER:
    case VK_ERROR_INITIALIZATION_FAILED:
      return {StatusCode::device, "there is no driver for Vulkan that works"};
    default:
      return {StatusCode::device, "the GPU fails (VkResult " + std::to_string(result) + ")"};
  }
}

Result<std::vector<DeviceInfo>> Gpu::list() {
  auto all = physical_devices();
  if (!all.ok()) return all.status();
  std::vector<DeviceInfo> infos;
  for (VkPhysicalDevice device : all.value()) infos.push_back(info_of(device));
  return infos;
}

Result<std::unique_ptr<Gpu>> Gpu::open(size_t number, const DeviceOptions& options) {
  std::unique_ptr<Gpu> gpu(new Gpu);
  if (Status status = gpu->start(number, options); !status.ok()) return status;
  return gpu;
}

Status Gpu::start(size_t number, const DeviceOptions& options) {
  auto all = physical_devices();
  if (!all.ok()) return all.status();
  if (number >= all.value().size()) {
    return {StatusCode::bad_argument, "there is no GPU " + std::to_string(number) + "; there are " +
                                          std::to_string(all.value().size())};
  }
  physical_ = all.value()[number];
  info_ = info_of(physical_);
  slice_ms_ = options.slice_ms;
  winograd_ = options.winograd;
  VkPhysicalDeviceSubgroupProperties subgroups{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
  VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
  properties.pNext = &subgroups;
  vkGetPhysicalDeviceProperties2(physical_, &properties);
  limits_ = properties.properties.limits;
  rows_are_subgroups_ = options.subgroups && info_.kind == "cpu" && subgroups.subgroupSize == 8 &&
                        (subgroups.supportedOperations & VK_SUBGROUP_FEATURE_BALLOT_BIT) != 0;
  family_ = *compute_family(physical_);

  const float priority = 1;
  VkDeviceQueueCreateInfo queue{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
  queue.queueFamilyIndex = family_;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  VkPhysicalDeviceFeatures features{};
  features.shaderStorageBufferArrayDynamicIndexing = VK_TRUE;
  const bool own_memory = info_.kind != "integrated" && info_.kind != "cpu";
  if (options.share_segments && !own_memory) share_alignment_ = find_share_alignment();
  std::vector<const char*> extensions;
  if (share_alignment_ > 0) extensions.push_back(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
  VkPhysicalDeviceShaderFloat16Int8Features halves{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES};
  half_error_ = options.half_error;
  if (half_error_ > 0) {
    if (has_extension(physical_, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME)) {
      VkPhysicalDeviceFeatures2 all_features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
      all_features.pNext = &halves;
      vkGetPhysicalDeviceFeatures2(physical_, &all_features);
    }
    halves.shaderInt8 = VK_FALSE;
    if (halves.shaderFloat16 == VK_TRUE) {
      half_ = true;
      extensions.push_back(VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME);
    } else {
      half_failure_ = Status(StatusCode::device, "the GPU does not compute in float16");
    }
  }
  VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue;
  info.pEnabledFeatures = &features;
  info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  info.ppEnabledExtensionNames = extensions.data();
  if (half_) info.pNext = &halves;
  if (const VkResult result = vkCreateDevice(physical_, &info, nullptr, &device_);
      result != VK_SUCCESS) {
    return failed(result);
  }
  volkLoadDeviceTable(&call_, device_);
  call_.vkGetDeviceQueue(device_, family_, 0, &queue_);
  const VkFenceCreateInfo fence{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
  VkResult result = call_.vkCreateFence(device_, &fence, nullptr, &fence_);
  if (result != VK_SUCCESS) return failed(result);
  cache_file_ = options.cache;
  std::string data = read_cache(cache_file_);
  if (!is_cache_of(properties.properties, data)) data.clear();
  VkPipelineCacheCreateInfo cache{.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
  cache.initialDataSize = data.size();
  cache.pInitialData = data.data();
  result = call_.vkCreatePipelineCache(device_, &cache, nullptr, &cache_);
  return result == VK_SUCCESS ? Status() : failed(result);
}

// A page at most: the memory behind a mapping's end, up to there, is the mapping's.
uint64_t Gpu::find_share_alignment() const {
  if (!has_extension(physical_, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME)) return 0;
  VkPhysicalDeviceExternalMemoryHostPropertiesEXT host{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT};
  VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
  properties.pNext = &host;
  vkGetPhysicalDeviceProperties2(physical_, &properties);
  const uint64_t alignment = host.minImportedHostPointerAlignment;
  return alignment <= static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)) ? alignment : 0;
}

Status Gpu::half_failure() const {
  const std::lock_guard lock(judging_);
  return half_failure_;
}

void Gpu::give_up_half(const Status& why) {
  const std::lock_guard lock(judging_);
  half_failure_ = why;
  half_ = false;
}

Gpu::~Gpu() {
  if (device_ == VK_NULL_HANDLE || lost_) return;
  for (const auto& [kernel, pipeline] : pipelines_) {
    call_.vkDestroyPipeline(device_, pipeline, nullptr);
  }
  for (const auto& [shader, module] : modules_) {
    call_.vkDestroyShaderModule(device_, module, nullptr);
  }
  for (const auto& [segments, layout] : layouts_) {
    call_.vkDestroyPipelineLayout(device_, layout.pipeline, nullptr);
    call_.vkDestroyDescriptorSetLayout(device_, layout.set, nullptr);
  }
  call_.vkDestroyPipelineCache(device_, cache_, nullptr);
  call_.vkDestroyFence(device_, fence_, nullptr);
  call_.vkDestroyDevice(device_, nullptr);
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(gpu_, other.gpu_);
  std::swap(buffer_, other.buffer_);
  std::swap(memory_, other.memory_);
  std::swap(data_, other.data_);
  std::swap(offset_, other.offset_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Buffer::~Buffer() {
  if (gpu_ == nullptr || gpu_->lost_) return;
  gpu_->call_.vkDestroyBuffer(gpu_->device_, buffer_, nullptr);
  gpu_->call_.vkFreeMemory(gpu_->device_, memory_, nullptr);
  (data_ != nullptr ? gpu_->allocated_bytes_ : gpu_->shared_bytes_) -= bytes_;
}

Result<Buffer> Gpu::allocate(uint64_t bytes) const {
  if (bytes > limits_.maxStorageBufferRange) {
    return Status(StatusCode::no_memory, "the GPU cannot use " + std::to_string(bytes) +
                                             " bytes at once; at most " +
                                             std::to_string(limits_.maxStorageBufferRange));
  }
  Buffer buffer;
  buffer.gpu_ = this;
  VkBufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
  info.size = bytes;
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
  VkResult result = call_.vkCreateBuffer(device_, &info, nullptr, &buffer.buffer_);
  if (result != VK_SUCCESS) return failed(result);
  VkMemoryRequirements needs;
  call_.vkGetBufferMemoryRequirements(device_, buffer.buffer_, &needs);

  // The device's own if the CPU sees it, which it does where they share memory and on most cards;
  // of that, or else of the CPU's, what the CPU's cache holds, so that it reads it fast.
  VkPhysicalDeviceMemoryProperties memory;
  vkGetPhysicalDeviceMemoryProperties(physical_, &memory);
  constexpr VkMemoryPropertyFlags kSeen =
      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
  constexpr VkMemoryPropertyFlags kOwn = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
  for (const VkMemoryPropertyFlags also : {kOwn | kCached, kOwn, kCached, 0U}) {
    const VkMemoryPropertyFlags wanted = kSeen | also;
    for (uint32_t t = 0; t < memory.memoryTypeCount && buffer.memory_ == VK_NULL_HANDLE; ++t) {
      if ((needs.memoryTypeBits >> t & 1) == 0 ||
          (memory.memoryTypes[t].propertyFlags & wanted) != wanted) {
        continue;
      }
      VkMemoryAllocateInfo allocation{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
      allocation.allocationSize = needs.size;
      allocation.memoryTypeIndex = t;
      result = call_.vkAllocateMemory(device_, &allocation, nullptr, &buffer.memory_);
    }
  }
  if (result != VK_SUCCESS) return failed(result);
  result = call_.vkBindBufferMemory(device_, buffer.buffer_, buffer.memory_, 0);
  if (result == VK_SUCCESS) {
    result = call_.vkMapMemory(device_, buffer.memory_, 0, VK_WHOLE_SIZE, 0, &buffer.data_);
  }
  if (result != VK_SUCCESS) return failed(result);
  std::memset(buffer.data_, 0, bytes);
  buffer.bytes_ = bytes;
  allocated_bytes_ += bytes;
  return buffer;
}

Result<Buffer> Gpu::share(const void* data, uint64_t bytes) const {
  const Status cannot(StatusCode::device, "the GPU cannot read the CPU's memory in place");
  if (share_alignment_ == 0 || bytes == 0) return cannot;
  const auto address = reinterpret_cast<uintptr_t>(data);
  const uint64_t offset = address % share_alignment_;
  const uint64_t whole =
      (offset + bytes + share_alignment_ - 1) / share_alignment_ * share_alignment_;
  void* const begin = const_cast<char*>(static_cast<const char*>(data)) - offset;
  if (offset % limits_.minStorageBufferOffsetAlignment != 0 ||
      bytes > limits_.maxStorageBufferRange) {
    return cannot;
  }
  constexpr auto kKind = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
  VkMemoryHostPointerPropertiesEXT pointer{
      .sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT};
  if (call_.vkGetMemoryHostPointerPropertiesEXT(device_, kKind, begin, &pointer) != VK_SUCCESS) {
    return cannot;
  }
  Buffer buffer;
  buffer.gpu_ = this;
  VkExternalMemoryBufferCreateInfo external{
      .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO};
  external.handleTypes = kKind;
  VkBufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
  info.pNext = &external;
  info.size = whole;
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
  if (call_.vkCreateBuffer(device_, &info, nullptr, &buffer.buffer_) != VK_SUCCESS) return cannot;
  VkMemoryRequirements needs;
  call_.vkGetBufferMemoryRequirements(device_, buffer.buffer_, &needs);
  const uint32_t types = needs.memoryTypeBits & pointer.memoryTypeBits;
  if (types == 0 || needs.size > whole) return cannot;
  VkImportMemoryHostPointerInfoEXT import{
      .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT};
  import.handleType = kKind;
  import.pHostPointer = begin;
  VkMemoryAllocateInfo allocation{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
  allocation.pNext = &import;
  allocation.allocationSize = whole;
  allocation.memoryTypeIndex = static_cast<uint32_t>(std::countr_zero(types));
  if (call_.vkAllocateMemory(device_, &allocation, nullptr, &buffer.memory_) != VK_SUCCESS ||
      call_.vkBindBufferMemory(device_, buffer.buffer_, buffer.memory_, 0) != VK_SUCCESS) {
    return cannot;
  }
  buffer.offset_ = offset;
  buffer.bytes_ = bytes;
  shared_bytes_ += bytes;
  return buffer;
}

Result<Gpu::Layout> Gpu::layout(uint32_t segments) {
  const std::lock_guard lock(compiling_);
  return layout_of(segments);
}

Result<Gpu::Layout> Gpu::layout_of(uint32_t segments) {
  if (const auto found = layouts_.find(segments); found != layouts_.end()) return found->second;
  if (segments + kOwnBuffers > limits_.maxPerStageDescriptorStorageBuffers) {
    return Status(StatusCode::device,
                  "the GPU cannot read " + std::to_string(segments) + " segments at once");
  }
  VkDescriptorSetLayoutBinding bindings[kOwnBuffers + 1]{};
  for (uint32_t b = 0; b <= kOwnBuffers; ++b) {
    bindings[b].binding = b;
    bindings[b].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    bindings[b].descriptorCount = b == kOwnBuffers ? segments : 1;
    bindings[b].stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
  }
  VkDescriptorSetLayoutCreateInfo set{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
  set.bindingCount = kOwnBuffers + 1;
  set.pBindings = bindings;
  Layout layout;
  VkResult result = call_.vkCreateDescriptorSetLayout(device_, &set, nullptr, &layout.set);
  if (result != VK_SUCCESS) return failed(result);
  const VkPushConstantRange push{VK_SHADER_STAGE_COMPUTE_BIT, 0, kPushBytes};
  VkPipelineLayoutCreateInfo info{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
  info.setLayoutCount = 1;
  info.pSetLayouts = &layout.set;
  info.pushConstantRangeCount = 1;
  info.pPushConstantRanges = &push;
  result = call_.vkCreatePipelineLayout(device_, &info, nullptr, &layout.pipeline);
  if (result != VK_SUCCESS) {
    call_.vkDestroyDescriptorSetLayout(device_, layout.set, nullptr);
    return failed(result);
  }
  return layouts_[segments] = layout;
}

Result<VkShaderModule> Gpu::module(Shader shader) {
  if (const auto found = modules_.find(shader); found != modules_.end()) return found->second;
  const std::span<const uint32_t> code = kShaders[static_cast<size_t>(shader)];
  VkShaderModuleCreateInfo info{.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO};
  info.codeSize = code.size_bytes();
  info.pCode = code.data();
  VkShaderModule module = VK_NULL_HANDLE;
  const VkResult result = call_.vkCreateShaderModule(device_, &info, nullptr, &module);
  if (result != VK_SUCCESS) return failed(result);
  return modules_[shader] = module;
}

Result<VkPipeline> Gpu::pipeline(const Kernel& kernel) {
  const std::lock_guard lock(compiling_);
  if (const auto found = pipelines_.find(kernel); found != pipelines_.end()) return found->second;
  const auto layout = layout_of(kernel.constants[3]);
  if (!layout.ok()) return layout.status();
  const auto shader = module(kernel.shader);
  if (!shader.ok()) return shader.status();
  std::array<VkSpecializationMapEntry, kConstants> entries;
  for (uint32_t i = 0; i < kConstants; ++i) entries[i] = {i, i * 4, 4};
  const VkSpecializationInfo constants{kConstants, entries.data(), sizeof(kernel.constants),
                                       kernel.constants.data()};
  VkComputePipelineCreateInfo info{.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO};
  info.flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT;  // for Dispatch::first
  info.stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO};
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = shader.value();
  info.stage.pName = "main";
  info.stage.pSpecializationInfo = &constants;
  info.layout = layout.value().pipeline;
  VkPipeline pipeline = VK_NULL_HANDLE;
  const VkResult result =
      call_.vkCreateComputePipelines(device_, cache_, 1, &info, nullptr, &pipeline);
  if (result != VK_SUCCESS) return failed(result);
  return pipelines_[kernel] = pipeline;
}

Status Gpu::save_cache() {
  const std::lock_guard lock(compiling_);
  if (cache_file_.empty() || pipelines_.size() == cached_) return {};
  size_t bytes = 0;
  VkResult result = call_.vkGetPipelineCacheData(device_, cache_, &bytes, nullptr);
  if (result != VK_SUCCESS) return failed(result);
  std::string data(bytes, '\0');
  result = call_.vkGetPipelineCacheData(device_, cache_, &bytes, data.data());
  if (result != VK_SUCCESS) return failed(result);
  data.resize(bytes);
  Status status = write_cache(cache_file_, data);
  if (status.ok()) cached_ = pipelines_.size();
  return status;
}

Counters Gpu::counters() const {
  return {submissions_, dispatches_, uploaded_bytes_, allocated_bytes_, shared_bytes_};
}

// A CPU as the GPU compiles kernels when they first run, while others use it, too.
uint64_t Gpu::deadline_s() const { return info_.kind == "cpu" ? 60 : 10; }

Status Gpu::submit(std::span<const VkCommandBuffer> commands, size_t dispatches) {
  const std::lock_guard lock(submitting_);
  if (lost_) return {StatusCode::device, "the GPU failed before"};
  VkSubmitInfo info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO};
  info.commandBufferCount = static_cast<uint32_t>(commands.size());
  info.pCommandBuffers = commands.data();
  VkResult result = call_.vkQueueSubmit(queue_, 1, &info, fence_);
  ++submissions_;
  dispatches_ += dispatches;
  if (result == VK_SUCCESS) {
    result = call_.vkWaitForFences(device_, 1, &fence_, VK_TRUE, deadline_s() * 1'000'000'000);
    if (result == VK_SUCCESS) result = call_.vkResetFences(device_, 1, &fence_);
  }
  if (result == VK_SUCCESS) return {};
  lost_ = true;
  if (result != VK_TIMEOUT) return failed(result);
  return {StatusCode::device,
          "the GPU has not answered for " + std::to_string(deadline_s()) + " seconds"};
}

}  // namespace nestling::runtime::vulkan
