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

class Processor {
 public:
  // `backend` is "cpu", "vulkan", or "auto": the GPU of number `gpu` if there is one that is not
  // made of software, otherwise the CPU. Throws Error if it is not there.
  Processor(const std::string& backend, size_t gpu);
  ~Processor();

  // For ModelOptions; null for the CPU.
  runtime::Accelerator* accelerator() const { return accelerator_.get(); }
  std::string backend() const { return accelerator_ ? "vulkan" : "cpu"; }
  const std::string& gpu() const { return gpu_; }  // its name; empty for the CPU

 private:
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
