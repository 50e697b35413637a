// The file of a device's compiled kernels: a checksum, and what the driver calls its pipeline
// cache.
#pragma once

#include <string>
#include <volk.h>

#include "runtime/status.h"

namespace nestling::runtime::vulkan {

// Empty unless the file is whole, and of this device and driver.
std::string read_cache(const std::string& file, const VkPhysicalDeviceProperties& device);

// The file is there with all of it, or as it was before.
Status write_cache(const std::string& file, const std::string& data);

}  // namespace nestling::runtime::vulkan
