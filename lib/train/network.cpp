#include "train/network.h"

#include <utility>

#include "train/ops/step.h"

namespace nestling {
at::Tensor to_torch(const Tensor& tensor) {
  return at::from_blob(const_cast<float*>(tensor.data.data()), tensor.shape).clone().to(device());
}

Tensor from_torch(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().cpu().contiguous();
  Tensor result{dense.sizes().vec(), {}};
  result.data.assign(dense.data_ptr<float>(), dense.data_ptr<float>() + dense.numel());
  return result;
}

Network::Network(Graph graph, const TrainableMasks& masks) : graph_(std::move(graph)) {
  constants_.resize(graph_.values.size());
  for (size_t i = 0; i < constants_.size(); ++i) {
    if (!graph_.values[i].constant) continue;
    constants_[i] = channels_last(to_torch(*graph_.values[i].constant));
  }
  for (const auto& [id, mask] : masks) masks_[id] = to_torch(mask);
  for (const ValueId id : parameters_of(graph_)) {
    const auto mask = masks_.find(id);
    at::Tensor& value = constants_[static_cast<size_t>(id)];
    value.set_requires_grad(true);
    parameters_.push_back({id, value, mask == masks_.end() ? at::Tensor() : mask->second});
  }
}

std::vector<at::Tensor> Network::outputs(const std::vector<at::Tensor>& inputs, Mode mode,
                                         const Observer& observe) {
  std::vector<at::Tensor> values = constants_;
  std::vector<at::Tensor> masks(values.size());
  for (const auto& [id, mask] : masks_) masks[static_cast<size_t>(id)] = mask;
  for (size_t i = 0; i < inputs.size(); ++i) {
    values[static_cast<size_t>(graph_.inputs[i])] = channels_last(inputs[i]);
  }
  const int64_t batch = inputs[0].dim() > 0 ? inputs[0].size(0) : 1;
  for (const Node& node : graph_.nodes) {
    TorchStep step{{}, {}, graph_.value(node.output).shape, mode};
    if (!step.shape.empty() && step.shape[0] == kBatch) step.shape[0] = batch;
    for (const ValueId id : node.inputs) {
      step.inputs.push_back(values[static_cast<size_t>(id)]);
      step.masks.push_back(masks[static_cast<size_t>(id)]);
    }
    at::Tensor& y = values[static_cast<size_t>(node.output)];
    y = std::visit([&](const auto& op) { return nestling::forward(op, step); }, node.op);
    if (observe) observe(node.output, y);
  }
  std::vector<at::Tensor> results;
  for (const ValueId id : graph_.outputs) results.push_back(values[static_cast<size_t>(id)]);
  return results;
}

at::Tensor Network::forward(const at::Tensor& x, Mode mode, const Observer& observe) {
  return outputs({x}, mode, observe)[0];
}

void Network::share(ValueId id, at::Tensor tensor) {
  constants_[static_cast<size_t>(id)] = std::move(tensor);
  std::erase_if(parameters_, [&](const Parameter& p) { return p.id == id; });
}

Graph Network::graph() const {
  Graph graph = graph_;
  for (size_t i = 0; i < constants_.size(); ++i) {
    if (constants_[i].defined()) graph.values[i].constant = from_torch(constants_[i]);
  }
  return graph;
}

}  // namespace nestling
