// A device that is not the processor, though it computes there: LibTorch's lazy tensors. An
// operator that is given tensors of both ends the process, as it would fail on a GPU.
#pragma once

#include <torch/csrc/lazy/ts_backend/ts_backend_impl.h>

#include "train/torch.h"

namespace test {

// While it is there, networks that are made compute on it.
class OtherDevice {
 public:
  OtherDevice() {
    [[maybe_unused]] static const bool there = (torch::lazy::InitTorchScriptBackend(), true);
    nestling::compute_on(at::Device(at::kLazy, 0));
  }
  ~OtherDevice() { nestling::compute_on(at::kCPU); }
  OtherDevice(const OtherDevice&) = delete;
  OtherDevice& operator=(const OtherDevice&) = delete;
};

}  // namespace test
