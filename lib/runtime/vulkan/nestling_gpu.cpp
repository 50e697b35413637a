#include "runtime/vulkan/nestling_gpu.h"

#include "runtime/c_error.h"
#include "runtime/vulkan/device.h"

namespace {

using nestling::runtime::Accelerator;
using nestling::runtime::Status;
using nestling::runtime::told;
using nestling::runtime::vulkan::Device;
using nestling::runtime::vulkan::DeviceOptions;

// For C a GPU is its accelerator, as the options of a model want it.
Device* device(nestling_gpu* gpu) {
  return static_cast<Device*>(reinterpret_cast<Accelerator*>(gpu));
}

}  // namespace

extern "C" {

size_t nestling_gpu_count(void) {
  const auto devices = nestling::runtime::vulkan::devices();
  return told(devices.status()) ? devices.value().size() : 0;
}

nestling_gpu* nestling_gpu_open(size_t number, const char* cache) {
  DeviceOptions options;
  if (cache != nullptr) options.cache = cache;
  auto opened = Device::open(number, options);
  if (!told(opened.status())) return nullptr;
  return reinterpret_cast<nestling_gpu*>(static_cast<Accelerator*>(opened.value().release()));
}

void nestling_gpu_close(nestling_gpu* gpu) { delete device(gpu); }

const char* nestling_gpu_name(const nestling_gpu* gpu) {
  return device(const_cast<nestling_gpu*>(gpu))->info().name.c_str();
}

nestling_status nestling_gpu_save_cache(nestling_gpu* gpu) {
  const Status status = device(gpu)->save_cache();
  told(status);
  return static_cast<nestling_status>(status.code());
}

}  // extern "C"
