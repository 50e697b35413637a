#include "graph/simplify.h"

#include <algorithm>
#include <utility>

namespace nestling {
namespace {

class Simplifier {
 public:
  explicit Simplifier(Graph& graph) : graph_(graph), users_(graph.values.size()) {
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      for (const ValueId input : graph.nodes[n].inputs) users_[index(input)].push_back(n);
    }
    // An output is used by somebody whom no pass may touch.
    for (const ValueId output : graph.outputs) users_[index(output)].push_back(graph.nodes.size());
  }

  void run() {
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      bias(n);
      shuffle(n);
    }
  }

 private:
  static size_t index(ValueId id) { return static_cast<size_t>(id); }

  // The only user of a node's output, if it is of type T; n becomes its number.
  template <typename T>
  const T* next(size_t& n) const {
    const std::vector<size_t>& users = users_[index(graph_.nodes[n].output)];
    if (users.size() != 1 || users[0] == graph_.nodes.size()) return nullptr;
    n = users[0];
    return std::get_if<T>(&graph_.nodes[n].op);
  }

  // `last` computes what it did, as `op` on `inputs`; the nodes that led to it are left to be
  // removed.
  void replace(size_t last, const Op& op, std::vector<ValueId> inputs) {
    graph_.nodes[last].op = op;
    graph_.nodes[last].inputs = std::move(inputs);
    for (const ValueId input : graph_.nodes[last].inputs) users_[index(input)].push_back(last);
  }

  // Gemm -> Add
  void bias(size_t n) {
    const size_t first = n;
    const auto* gemm = std::get_if<Gemm>(&graph_.nodes[n].op);
    if (gemm == nullptr || graph_.nodes[n].inputs.size() != 2) return;
    const auto* add = next<Binary>(n);
    if (add == nullptr || add->function != Binary::Function::add) return;
    const Node& sum = graph_.nodes[n];
    const ValueId other = sum.inputs[sum.inputs[0] == graph_.nodes[first].output ? 1 : 0];
    Value& constant = graph_.value(other);
    const int64_t filters = graph_.value(sum.output).shape.back();
    if (!constant.constant || constant.shape.empty() || constant.shape.back() != filters ||
        element_count(constant.shape) != filters || users_[index(other)].size() != 1 ||
        graph_.value(sum.output).shape != graph_.value(graph_.nodes[first].output).shape) {
      return;
    }
    constant.shape = constant.constant->shape = {filters};
    std::vector<ValueId> inputs = graph_.nodes[first].inputs;
    inputs.push_back(other);
    graph_.nodes[n].name = graph_.nodes[first].name;
    replace(n, Gemm{}, std::move(inputs));
  }

  // [N, C, H, W] -> [N, g, C / g, H, W] -> [N, C / g, g, H, W] -> [N, C, H, W]
  void shuffle(size_t n) {
    const size_t first = n;
    if (!std::holds_alternative<Reshape>(graph_.nodes[n].op)) return;
    const Shape x = graph_.value(graph_.nodes[n].inputs[0]).shape;
    const Shape split = graph_.value(graph_.nodes[n].output).shape;
    if (x.size() != 4 || split.size() != 5 || split[0] != x[0] || split[1] * split[2] != x[1] ||
        split[3] != x[2] || split[4] != x[3]) {
      return;
    }
    const auto* transpose = next<Transpose>(n);
    if (transpose == nullptr || transpose->order != std::vector<int64_t>{0, 2, 1, 3, 4}) return;
    if (next<Reshape>(n) == nullptr || graph_.value(graph_.nodes[n].output).shape != x) return;
    replace(n, Shuffle{split[1]}, {graph_.nodes[first].inputs[0]});
  }

  Graph& graph_;
  std::vector<std::vector<size_t>> users_;  // nodes, by value
};

}  // namespace

Graph simplified(Graph graph) {
  Simplifier(graph).run();
  return without_unused(graph);
}

}  // namespace nestling
