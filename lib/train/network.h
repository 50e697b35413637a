// A Graph that LibTorch runs and differentiates.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "train/torch.h"
#include "train/train.h"

namespace nestling {

at::Tensor to_torch(const Tensor& tensor);    // a copy, float32, on device()
Tensor from_torch(const at::Tensor& tensor);  // a copy

// Not thread-safe; operators use LibTorch's threads.
class Network {
 public:
  explicit Network(Graph graph, const TrainableMasks& masks = {});

  enum class Mode { evaluate, train };

  // Sees every activation right after it is computed.
  using Observer = std::function<void(ValueId, const at::Tensor&)>;

  // The graph's first output for x [N, C, H, W]. In Mode::train batch norm uses the batch's
  // statistics and moves the running ones towards them by a tenth, as PyTorch does.
  at::Tensor forward(const at::Tensor& x, Mode mode, const Observer& observe = nullptr);
  // All outputs for all inputs.
  std::vector<at::Tensor> outputs(const std::vector<at::Tensor>& inputs, Mode mode,
                                  const Observer& observe = nullptr);

  // A trainable constant; its mask is undefined where all of it is trainable.
  struct Parameter {
    ValueId id;
    at::Tensor value;
    at::Tensor mask;
  };
  std::vector<Parameter>& parameters() { return parameters_; }

  // From now on the constant is `tensor`, such as a part of another network's parameter, and no
  // parameter of this network.
  void share(ValueId id, at::Tensor tensor);

  const at::Tensor& constant(ValueId id) const { return constants_[static_cast<size_t>(id)]; }

  // The graph with the present weights and statistics.
  Graph graph() const;

 private:
  Graph graph_;
  std::vector<at::Tensor> constants_;  // by ValueId; undefined for activations
  std::vector<Parameter> parameters_;
  std::map<ValueId, at::Tensor> masks_;
};

// observe() of evaluate.h, without a copy of what is seen; of some images, and of all.
using TensorObserver =
    std::function<void(std::span<const int64_t> batch, ValueId value, const at::Tensor& content)>;
void observe_tensors(const Graph& graph, const Dataset& data, std::span<const int64_t> indices,
                     int64_t batch, const std::set<ValueId>& wanted,
                     const TensorObserver& observer);
void observe_tensors(const Graph& graph, const Dataset& data, int64_t batch,
                     const std::set<ValueId>& wanted, const TensorObserver& observer);

}  // namespace nestling
