#include "interop/onnx_backend.h"

#include "train/network.h"

namespace test {

std::vector<nestling::Tensor> torch_outputs(const BackendCase& backend_case) {
  const c10::NoGradGuard no_gradients;
  nestling::Network network(backend_case.graph);
  std::vector<at::Tensor> inputs;
  for (const nestling::Tensor& input : backend_case.inputs) {
    inputs.push_back(nestling::to_torch(input));
  }
  std::vector<nestling::Tensor> outputs;
  for (const at::Tensor& output : network.outputs(inputs, nestling::Network::Mode::evaluate)) {
    outputs.push_back(nestling::from_torch(output));
  }
  return outputs;
}

}  // namespace test
