#include "train/device.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <optional>

#include "base/error.h"
#include "train/torch.h"

namespace nestling {
namespace {

at::Device current{at::kCPU};

std::optional<at::Device> parsed(const std::string& name) {
  try {
    return at::Device(name);
  } catch (const c10::Error&) {
    return std::nullopt;
  }
}

}  // namespace

at::Device device() { return current; }

void compute_on(at::Device device) { current = device; }

void use_device(const std::string& name, int process) {
  const auto wanted = parsed(name);
  if (!wanted || (!wanted->is_cpu() && !wanted->is_cuda())) {
    fail("there is no device {}; it is cpu, cuda or cuda:N", name);
  }
  if (wanted->is_cpu()) return compute_on(at::kCPU);
  if (!at::hasCUDA()) {
    fail(
        "there is no device {}: this LibTorch finds no CUDA; install one that was built with it, "
        "and a driver, or use cpu",
        name);
  }
  const int gpus = at::detail::getCUDAHooks().getNumGPUs();
  const int index = wanted->has_index() ? wanted->index() : process % gpus;
  if (index >= gpus) fail("there is no device {}: LibTorch finds {} GPUs", name, gpus);
  compute_on(at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(index)));
}

}  // namespace nestling
