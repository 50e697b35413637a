#include "runtime/vulkan/device.h"

#include "runtime/vulkan/gpu.h"
#include "runtime/vulkan/gpu_backend.h"

namespace nestling::runtime::vulkan {

Result<std::vector<DeviceInfo>> devices() { return Gpu::list(); }

Device::Device(std::unique_ptr<Gpu> gpu) : gpu_(std::move(gpu)) {}
Device::~Device() = default;

Result<std::unique_ptr<Device>> Device::open(size_t number, const DeviceOptions& options) {
  auto gpu = Gpu::open(number, options);
  if (!gpu.ok()) return gpu.status();
  return std::unique_ptr<Device>(new Device(std::move(gpu.value())));
}

const DeviceInfo& Device::info() const { return gpu_->info(); }

Status Device::save_cache() { return gpu_->save_cache(); }

Status Device::half_failure() const { return gpu_->half_failure(); }

Counters Device::counters() const { return gpu_->counters(); }

std::unique_ptr<Backend> Device::backend(uint32_t capacities) {
  return std::make_unique<GpuBackend>(*gpu_, capacities);
}

}  // namespace nestling::runtime::vulkan
