#include "measure/processor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/backend.h"

#include "base/error.h"
#ifdef NESTLING_VULKAN
#include "runtime/vulkan/device.h"
#endif

namespace nestling {
namespace {

std::set<std::string> operators_of(const runtime::CpuLayers& layers, const runtime::Model& model) {
  std::set<std::string> operators;
  for (const uint32_t node : layers.nodes) {
    operators.insert(model.header().nodes[node].op);
  }
  return operators;
}

}  // namespace

#ifdef NESTLING_VULKAN

Processor::Processor(const ProcessorOptions& options) {
  if (options.backend == "cpu") return;
  if (options.backend == "auto") {
    const auto devices = runtime::vulkan::devices();
    if (!devices.ok() || options.gpu >= devices.value().size()) return;
    if (devices.value()[options.gpu].kind == "cpu") return;
  }
  half_error_ = options.half_error;
  auto opened = runtime::vulkan::Device::open(
      options.gpu,
      {.slice_ms = options.slice_ms, .half_error = options.half_error, .cache = options.cache});
  if (!opened.ok()) fail("{}", opened.status().text());
  gpu_ = opened.value()->info().name;
  accelerator_ = std::move(opened.value());
}

void Processor::keep_cache() {
  if (!accelerator_) return;
  const auto saved = static_cast<runtime::vulkan::Device&>(*accelerator_).save_cache();
  if (!saved.ok()) fail("{}", saved.text());
}

std::string Processor::half_failure() const {
  if (!accelerator_) return "";
  const auto why = static_cast<const runtime::vulkan::Device&>(*accelerator_).half_failure();
  return why.ok() ? "" : fmt::format("computed in float32: {}\n", why.text());
}

Json list_gpus() {
  const auto devices = runtime::vulkan::devices();
  if (!devices.ok()) fail("{}", devices.status().text());
  Json list = Json::array();
  for (const runtime::vulkan::DeviceInfo& device : devices.value()) {
    list.push_back({{"number", list.size()},
                    {"name", device.name},
                    {"kind", device.kind},
                    {"vulkan", device.version},
                    {"memory_bytes", device.memory_bytes}});
  }
  return list;
}

#else

Processor::Processor(const ProcessorOptions& options) {
  if (options.backend == "vulkan") fail("this build has no GPU backend (NESTLING_VULKAN)");
}

void Processor::keep_cache() {}

std::string Processor::half_failure() const { return ""; }

Json list_gpus() { fail("this build has no GPU backend (NESTLING_VULKAN)"); }

#endif

Processor::~Processor() = default;

std::string Processor::arithmetic(const runtime::Model& model) const {
  if (accelerator() == nullptr) return name_of(model.arithmetic());
  return half_error_ > 0 && half_failure().empty() ? "fp16" : "fp32";
}

Json cpu_layers_json(const runtime::Model& model) {
  const runtime::CpuLayers layers = model.cpu_layers();
  return {{"layers", layers.nodes.size()},
          {"operators", operators_of(layers, model)},
          {"bytes", layers.bytes}};
}

std::string cpu_layers_text(const runtime::Model& model) {
  const runtime::CpuLayers layers = model.cpu_layers();
  if (layers.nodes.empty()) return "";
  return fmt::format("{} layers run on the CPU ({}): they read and write {} bytes an inference\n",
                     layers.nodes.size(), fmt::join(operators_of(layers, model), ", "),
                     layers.bytes);
}

}  // namespace nestling
