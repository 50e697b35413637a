// The first GPU there is, watched by Vulkan's validation layer; on a machine without one, Mesa's
// lavapipe. What the layer says makes a test of CTest fail (nestling_test).
#pragma once

#include <cstdlib>

#include "runtime/vulkan/device.h"
#include "support/catch.h"

// The layer keeps what it has of a process to its end.
extern "C" inline __attribute__((used)) const char* __lsan_default_suppressions() {
  return "leak:libVkLayer_khronos_validation";
}

namespace test {

// Opened once: a driver takes its time.
inline nestling::runtime::vulkan::Device& gpu() {
  static const auto opened = [] {
    setenv("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation", 1);
    setenv("VK_LAYER_SETTINGS_PATH", NESTLING_VK_LAYER_SETTINGS, 1);
    auto result = nestling::runtime::vulkan::Device::open(0);
    INFO(result.status().text());
    REQUIRE(result.ok());
    return std::move(result.value());
  }();
  return *opened;
}

}  // namespace test
