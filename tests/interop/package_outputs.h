// What a package makes of a case of ONNX's backend suite.
#pragma once

#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "interop/onnx_backend.h"
#include "runtime/model.h"

#include "package/package.h"

namespace test {

namespace runtime = nestling::runtime;

using Inference = std::function<runtime::Status()>;

// A package takes one image: what has a batch of any size runs image by image, each by infer(run).
// Operators of which a layer ran on the CPU are added to `cpu_operators`.
inline std::vector<nestling::Tensor> package_outputs(
    const BackendCase& c, runtime::Accelerator* accelerator = nullptr,
    std::set<std::string>* cpu_operators = nullptr,
    const std::function<runtime::Status(const Inference&)>& infer = [](const auto& run) {
      return run();
    }) {
  const std::string bytes = nestling::make_package(c.graph, "test");
  auto opened = runtime::Model::open_memory(bytes.data(), bytes.size(),
                                            {.threads = 2, .accelerator = accelerator});
  if (!opened.ok()) throw std::runtime_error(opened.status().text());
  runtime::Model& model = opened.value();
  if (const auto status = model.set_capacity(1); !status.ok()) {
    throw std::runtime_error(status.text());
  }
  if (cpu_operators != nullptr) {
    for (const uint32_t node : model.cpu_layers().nodes) {
      cpu_operators->insert(model.header().nodes[node].op);
    }
  }
  const nestling::Shape& first = c.graph.value(c.graph.inputs[0]).shape;
  const bool any_batch = !first.empty() && first[0] == nestling::kBatch;
  const int64_t batch = any_batch ? c.inputs[0].shape[0] : 1;
  std::vector<nestling::Tensor> outputs(c.graph.outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::vector<uint32_t> shape = model.output_shape(i);
    outputs[i].shape.assign(shape.begin(), shape.end());
    if (any_batch) outputs[i].shape[0] = batch;
    outputs[i].data.resize(static_cast<size_t>(batch) * model.output_floats(i));
  }
  for (int64_t n = 0; n < batch; ++n) {
    std::vector<const float*> from;
    std::vector<float*> to;
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      from.push_back(c.inputs[i].data.data() + static_cast<size_t>(n) * model.input_floats(i));
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      to.push_back(outputs[i].data.data() + static_cast<size_t>(n) * model.output_floats(i));
    }
    const auto run = [&] { return model.run(from.data(), to.data()); };
    if (const auto status = infer(run); !status.ok()) {
      throw std::runtime_error(status.text());
    }
  }
  return outputs;
}

}  // namespace test
