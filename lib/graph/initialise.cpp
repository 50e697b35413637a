#include "graph/initialise.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace nestling {
namespace {

class Initialiser {
 public:
  Initialiser(Graph& graph, uint64_t seed) : graph_(graph), random_(seed) {}

  void visit(const Node& node) {
    if (std::holds_alternative<BatchNorm>(node.op)) {
      fill(node, 1, 1);
      fill(node, 2, 0);
      fill(node, 3, 0);
      fill(node, 4, 1);
    } else if (std::holds_alternative<Conv>(node.op) || std::holds_alternative<Gemm>(node.op)) {
      const Shape& shape = graph_.value(node.inputs[1]).shape;
      draw(node, std::holds_alternative<Gemm>(node.op) ? 1 : 2, element_count(shape) / shape[0]);
      fill(node, 2, 0);
    } else if (const auto* conv = std::get_if<ConvTranspose>(&node.op)) {
      // An output sees each of its group's inputs as often as windows overlap there.
      const Shape& shape = graph_.value(node.inputs[1]).shape;
      const int64_t taps = element_count(shape) / (shape[0] * shape[1]);
      const int64_t seen = std::max<int64_t>(1, taps / (conv->stride[0] * conv->stride[1]));
      draw(node, 2, shape[0] / conv->groups * seen);
      fill(node, 2, 0);
    }
  }

 private:
  Tensor* weight(const Node& node, size_t input) {
    if (input >= node.inputs.size() || node.inputs[input] < 0) return nullptr;
    auto& constant = graph_.value(node.inputs[input]).constant;
    return constant ? &*constant : nullptr;
  }
  void fill(const Node& node, size_t input, float value) {
    if (Tensor* tensor = weight(node, input)) std::ranges::fill(tensor->data, value);
  }
  void draw(const Node& node, double gain, int64_t fan_in) {
    Tensor* tensor = weight(node, 1);
    if (tensor == nullptr) return;
    const double deviation = std::sqrt(gain / static_cast<double>(fan_in));
    for (float& w : tensor->data) w = static_cast<float>(random_.normal() * deviation);
  }

  Graph& graph_;
  Random random_;
};

}  // namespace

Graph initialised(Graph graph, uint64_t seed) {
  Initialiser initialiser(graph, seed);
  for (const Node& node : graph.nodes) initialiser.visit(node);
  return graph;
}

}  // namespace nestling
