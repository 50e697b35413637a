// A device that is not the processor, though it computes there: LibTorch's lazy tensors. An
// operator that is given tensors of both ends the process, as it would fail on a GPU.
#pragma once

#include <string>
#include <torch/csrc/lazy/ts_backend/ts_backend_impl.h>

#include "support/catch.h"

#include "graph/graph.h"
#include "train/torch.h"

namespace test {

inline void check_same(const nestling::Tensor& found, const nestling::Tensor& expected) {
  REQUIRE(found.shape == expected.shape);
  for (size_t i = 0; i < found.data.size(); ++i) {
    REQUIRE(found.data[i] == Approx(expected.data[i]).epsilon(1e-3).margin(1e-4));
  }
}

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

// Weights that were trained on it and on the processor. Running statistics are left out: lazy
// tensors lose what batch norm writes into them beside its result.
inline void check_same_weights(const nestling::Graph& found, const nestling::Graph& expected) {
  for (size_t v = 0; v < expected.values.size(); ++v) {
    const nestling::Value& value = expected.values[v];
    if (!value.constant || value.name.find("mean") != std::string::npos ||
        value.name.find("variance") != std::string::npos) {
      continue;
    }
    INFO(value.name);
    check_same(*found.values[v].constant, *value.constant);
  }
}

}  // namespace test
