#include "interop/onnx_backend_suite.h"

#include "train/network.h"

namespace {

std::vector<nestling::Tensor> torch_outputs(const test::BackendCase& backend_case) {
  nestling::Network network(backend_case.graph);
  std::vector<at::Tensor> inputs;
  for (const nestling::Tensor& input : backend_case.inputs) {
    inputs.push_back(nestling::to_torch(input).set_requires_grad(true));
  }
  std::vector<nestling::Tensor> outputs;
  for (const at::Tensor& output : network.outputs(inputs, nestling::Network::Mode::evaluate)) {
    outputs.push_back(nestling::from_torch(output.detach()));
    // It can be trained: an operator without a derivative throws here.
    if (output.requires_grad()) output.sum().backward({}, true);
  }
  return outputs;
}

}  // namespace

TEST_CASE("ONNX's backend suite in LibTorch") { test::run_suite("torch", torch_outputs); }
