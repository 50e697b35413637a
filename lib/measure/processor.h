// The processor that a measurement is made on: the CPU, or a GPU where the build has that.
#pragma once

#include <memory>
#include <string>

#include "runtime/model.h"

#include "base/json.h"

namespace nestling::runtime {
class Accelerator;
}

namespace nestling {

struct ProcessorOptions {
  std::string backend = "cpu";  // or "vulkan", or "auto": a GPU unless it is made of software
  size_t gpu = 0;               // of those that there are: its number
  double half_error = 0;        // these: DeviceOptions of runtime/vulkan/device.h
  double slice_ms = 4;
  std::string cache = {};
};

class Processor {
 public:
  // Throws Error if it is not there.
  explicit Processor(const ProcessorOptions& options);
  ~Processor();

  // For ModelOptions; null for the CPU.
  runtime::Accelerator* accelerator() const { return accelerator_.get(); }
  std::string backend() const { return accelerator_ ? "vulkan" : "cpu"; }
  void keep_cache();                               // of a GPU; throws Error if it cannot be written
  const std::string& gpu() const { return gpu_; }  // its name; empty for the CPU
  // Of convolutions: "fp16" or "fp32". On a GPU the models' first capacity decides.
  std::string arithmetic(const runtime::Model& model) const;
  std::string half_failure() const;  // why not in fp16, for people; empty if nobody asked

 private:
  double half_error_ = 0;
  std::unique_ptr<runtime::Accelerator> accelerator_;
  std::string gpu_;
};

// The GPUs that there are: an array of {number, name, kind, vulkan, memory_bytes}. Throws Error if
// there is no Vulkan.
Json list_gpus();

// What of a model does not run on its GPU, for people; empty if all does.
std::string cpu_layers_text(const runtime::Model& model);
// The same as {layers, operators, bytes}.
Json cpu_layers_json(const runtime::Model& model);

}  // namespace nestling
