#include "train/network.h"

#include <limits>
#include <utility>

namespace nestling {
namespace {

// The memory format in which convolutions need no reordering: a third of the time of a step. With
// one channel LibTorch cannot tell the formats apart, so the convolutions' outputs are asked too.
at::Tensor channels_last(const at::Tensor& x) {
  return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x;
}

}  // namespace

at::Tensor to_torch(const Tensor& tensor) {
  return at::from_blob(const_cast<float*>(tensor.data.data()), tensor.shape).clone();
}

Tensor from_torch(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().contiguous();
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

// Runs one node.
struct Network::Step {
  Network& network;
  const Node& node;
  const std::vector<at::Tensor>& values;
  Mode mode;

  const at::Tensor& input(size_t i) const {
    const auto id = static_cast<size_t>(node.inputs[i]);
    return network.constants_[id].defined() ? network.constants_[id] : values[id];
  }
  at::Tensor bias() const { return node.inputs.size() > 2 ? input(2) : at::Tensor(); }

  static at::Tensor padded(const at::Tensor& x, const Padding& padding, float value) {
    if (padding == Padding{}) return x;
    return at::constant_pad_nd(x, {padding[1], padding[3], padding[0], padding[2]}, value);
  }

  at::Tensor operator()(const Conv& op) const {
    const bool symmetric = op.padding[0] == op.padding[2] && op.padding[1] == op.padding[3];
    const Extent around = symmetric ? Extent{op.padding[0], op.padding[1]} : Extent{};
    const at::Tensor x = symmetric ? input(0) : padded(input(0), op.padding, 0);
    return channels_last(
        at::conv2d(x, input(1), bias(), op.stride, around, op.dilation, op.groups));
  }
  at::Tensor operator()(const BatchNorm& op) const {
    constexpr double kMomentum = 0.1;
    const at::Tensor &x = input(0), &scale = input(1), &shift = input(2);
    at::Tensor mean = input(3), variance = input(4);
    const auto mask = network.masks_.find(node.inputs[1]);
    if (mode == Mode::evaluate || mask == network.masks_.end()) {
      return at::batch_norm(x, scale, shift, mean, variance, mode == Mode::train, kMomentum,
                            op.epsilon, false);
    }
    // The first channels are frozen, the others train.
    const int64_t frozen = x.size(1) - mask->second.sum().item<int64_t>();
    const int64_t trained = x.size(1) - frozen;
    const auto part = [&](int64_t from, int64_t count, bool train) {
      at::Tensor part_mean = mean.narrow(0, from, count);
      at::Tensor part_variance = variance.narrow(0, from, count);
      return at::batch_norm(x.narrow(1, from, count), scale.narrow(0, from, count),
                            shift.narrow(0, from, count), part_mean, part_variance, train,
                            kMomentum, op.epsilon, false);
    };
    if (trained == 0) return part(0, frozen, false);
    if (frozen == 0) return part(0, trained, true);
    return at::cat({part(0, frozen, false), part(frozen, trained, true)}, 1);
  }
  at::Tensor operator()(const Relu&) const { return at::relu(input(0)); }
  at::Tensor operator()(const Clip& op) const { return at::clamp(input(0), op.min, op.max); }
  at::Tensor operator()(const Add&) const { return input(0) + input(1); }
  at::Tensor operator()(const Concat&) const {
    std::vector<at::Tensor> parts;
    for (size_t i = 0; i < node.inputs.size(); ++i) parts.push_back(input(i));
    return at::cat(parts, 1);
  }
  at::Tensor operator()(const MaxPool& op) const {
    constexpr float kLowest = -std::numeric_limits<float>::infinity();
    return at::max_pool2d(padded(input(0), op.padding, kLowest), op.kernel, op.stride);
  }
  at::Tensor operator()(const AveragePool& op) const {
    const at::Tensor mean = at::avg_pool2d(padded(input(0), op.padding, 0), op.kernel, op.stride);
    if (op.count_padding || op.padding == Padding{}) return mean;
    const at::Tensor inside = at::ones_like(input(0).slice(0, 0, 1).slice(1, 0, 1));
    return mean / at::avg_pool2d(padded(inside, op.padding, 0), op.kernel, op.stride);
  }
  at::Tensor operator()(const GlobalAveragePool&) const { return input(0).mean({2, 3}, true); }
  at::Tensor operator()(const Flatten&) const { return input(0).flatten(1); }
  at::Tensor operator()(const Gemm&) const { return at::linear(input(0), input(1), bias()); }
  at::Tensor operator()(const Softmax&) const { return at::softmax(input(0), 1); }
};

at::Tensor Network::forward(const at::Tensor& x, Mode mode, const Observer& observe) {
  std::vector<at::Tensor> values(graph_.values.size());
  values[static_cast<size_t>(graph_.inputs[0])] = channels_last(x);
  for (const Node& node : graph_.nodes) {
    at::Tensor& y = values[static_cast<size_t>(node.output)];
    y = std::visit(Step{*this, node, values, mode}, node.op);
    if (observe) observe(node.output, y);
  }
  return values[static_cast<size_t>(graph_.outputs[0])];
}

Graph Network::graph() const {
  Graph graph = graph_;
  for (size_t i = 0; i < constants_.size(); ++i) {
    if (constants_[i].defined()) graph.values[i].constant = from_torch(constants_[i]);
  }
  return graph;
}

}  // namespace nestling
