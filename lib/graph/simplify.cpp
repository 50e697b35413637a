#include "graph/simplify.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "graph/channels_first.h"

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
      batch_norm(n);
      shuffle(n);
      group_norm(n);
      layer_norm(n);
      hard(n);
      activation(n);
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

  // `last` computes what it did, as `op` on `inputs`, under the name of `first`; the nodes that led
  // to it are left to be removed.
  void replace(size_t first, size_t last, const Op& op, std::vector<ValueId> inputs) {
    graph_.nodes[last].name = graph_.nodes[first].name;
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
    const ValueId other = other_input(n, graph_.nodes[first].output);
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
    replace(first, n, Gemm{}, std::move(inputs));
  }

  // BatchNorm -> Mul or Add of a number for each channel, as Caffe2 writes a scale and a shift.
  void batch_norm(size_t n) {
    const size_t first = n;
    if (!std::holds_alternative<BatchNorm>(graph_.nodes[n].op)) return;
    const auto* binary = next<Binary>(n);
    if (binary == nullptr) return;
    const bool scales = binary->function == Binary::Function::mul;
    if (!scales && binary->function != Binary::Function::add) return;
    const Node& node = graph_.nodes[n];
    const int operand = channel_operand(graph_, node, binary->function);
    if (operand < 0) return;
    const ValueId other = node.inputs[static_cast<size_t>(operand)];
    std::vector<ValueId> inputs = graph_.nodes[first].inputs;
    const std::vector<float> by = graph_.constant(other).data;
    for (const size_t i : {1, 2}) {  // scale, shift
      if (i == 1 && !scales) continue;
      Tensor merged = graph_.constant(inputs[i]);
      for (size_t c = 0; c < by.size(); ++c) {
        merged.data[c] = scales ? merged.data[c] * by[c] : merged.data[c] + by[c];
      }
      const std::string name = graph_.value(node.output).name + (i == 1 ? ".scale" : ".shift");
      if (find_value(graph_, name) >= 0) return;
      inputs[i] = graph_.add_constant(name, std::move(merged));
    }
    users_.resize(graph_.values.size());
    replace(first, n, graph_.nodes[first].op, std::move(inputs));
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
    replace(first, n, Shuffle{split[1]}, {graph_.nodes[first].inputs[0]});
  }

  // [N, C, ...] -> [N, C / size, ...] -> [N, C, ...]
  void group_norm(size_t n) {
    const size_t first = n;
    if (!std::holds_alternative<Reshape>(graph_.nodes[n].op)) return;
    const Shape x = graph_.value(graph_.nodes[n].inputs[0]).shape;
    const Shape split = graph_.value(graph_.nodes[n].output).shape;
    const auto* norm = next<InstanceNorm>(n);
    if (norm == nullptr || x.size() < 2 || split[0] != x[0]) return;
    if (x[1] < 1 || split[1] < 1 || x[1] % split[1] != 0) return;
    const auto all = [&](size_t input, float number) {
      const std::vector<float>& data = graph_.constant(graph_.nodes[n].inputs[input]).data;
      return std::all_of(data.begin(), data.end(), [&](float v) { return v == number; });
    };
    if (!all(1, 1) || !all(2, 0)) return;
    const GroupNorm op{x[1] / split[1], norm->epsilon};
    if (next<Reshape>(n) == nullptr || graph_.value(graph_.nodes[n].output).shape != x) return;
    replace(first, n, op, {graph_.nodes[first].inputs[0]});
  }

  // (x - mean) / sqrt(mean of its squares + epsilon), of the last axis with the scale and the shift
  // behind it, or of the channels of images.
  void layer_norm(size_t n) {
    const Reduce* mean = mean_along(n);
    if (mean == nullptr) return;
    const ValueId x = graph_.nodes[n].inputs[0];
    const Shape& shape = graph_.value(x).shape;
    const int64_t axis = mean->axes[0];
    const bool last = axis == std::ssize(shape) - 1;
    if (!last && (axis != 1 || shape.size() != 4)) return;
    size_t centre = n;
    if (!step_binary(centre, Binary::Function::sub, x) || graph_.nodes[centre].inputs[0] != x) {
      return;
    }
    for (size_t end : users_[index(graph_.nodes[centre].output)]) {
      const auto epsilon = divided_by_deviation(end, graph_.nodes[centre].output, axis);
      if (!epsilon) continue;
      if (!last) return replace(n, end, ChannelNorm{*epsilon}, {x});
      std::vector<ValueId> inputs = scale_and_shift(end, shape.back());
      if (inputs.empty()) return;
      inputs.insert(inputs.begin(), x);
      return replace(n, end, LayerNorm{-1, *epsilon}, std::move(inputs));
    }
  }

  // The mean along one axis, which is kept; nullptr if the node is none.
  const Reduce* mean_along(size_t n) const {
    const auto* reduce = std::get_if<Reduce>(&graph_.nodes[n].op);
    const bool is_mean = reduce != nullptr && reduce->function == Reduce::Function::mean &&
                         reduce->keep && reduce->axes.size() == 1;
    return is_mean ? reduce : nullptr;
  }

  // centred / sqrt(mean of its squares + epsilon), from the node that squares it: `at` becomes the
  // division, what is returned is epsilon.
  std::optional<float> divided_by_deviation(size_t& at, ValueId centred, int64_t axis) const {
    using F = Binary::Function;
    if (at == graph_.nodes.size()) return std::nullopt;
    const auto* square = std::get_if<Binary>(&graph_.nodes[at].op);
    const std::vector<ValueId>& in = graph_.nodes[at].inputs;
    if (square == nullptr || in[0] != centred) return std::nullopt;
    const bool squares = square->function == F::pow ? is_number(in[1], 2)
                                                    : square->function == F::mul && in[1] == in[0];
    if (!squares || next<Reduce>(at) == nullptr) return std::nullopt;
    const Reduce* variance = mean_along(at);
    if (variance == nullptr || variance->axes[0] != axis) return std::nullopt;
    const ValueId raw = graph_.nodes[at].output;
    const auto* sum = next<Binary>(at);
    if (sum == nullptr || sum->function != F::add) return std::nullopt;
    const auto& epsilon = graph_.value(other_input(at, raw)).constant;
    if (!epsilon || epsilon->data.size() != 1 || !step_unary(at, Unary::Function::sqrt) ||
        !step_binary(at, F::div, centred) || graph_.nodes[at].inputs[0] != centred) {
      return std::nullopt;
    }
    return epsilon->data[0];
  }

  // The constants [count] that what node `at` computes is multiplied by, and to which then is
  // added; `at` becomes the last that does.
  std::vector<ValueId> scale_and_shift(size_t& at, int64_t count) const {
    std::vector<ValueId> found;
    for (const auto function : {Binary::Function::mul, Binary::Function::add}) {
      size_t behind = at;
      const auto* by = next<Binary>(behind);
      if (by == nullptr || by->function != function) break;
      const ValueId other = other_input(behind, graph_.nodes[at].output);
      const auto& constant = graph_.value(other).constant;
      if (!constant || constant->shape != Shape{count}) break;
      found.push_back(other);
      at = behind;
    }
    return found;
  }

  // What the node computes from, besides `input`.
  ValueId other_input(size_t n, ValueId input) const {
    const std::vector<ValueId>& inputs = graph_.nodes[n].inputs;
    return inputs[inputs[0] == input ? 1 : 0];
  }

  // A step along nodes that only the next one uses: n becomes that one.
  bool step_unary(size_t& n, Unary::Function function) const {
    const auto* unary = next<Unary>(n);
    return unary != nullptr && unary->function == function;
  }
  // ... whose other input is `other`, or a constant number.
  bool step_binary(size_t& n, Binary::Function function, ValueId other) const {
    const ValueId before = graph_.nodes[n].output;
    const auto* binary = next<Binary>(n);
    const std::vector<ValueId>& inputs = graph_.nodes[n].inputs;
    return binary != nullptr && binary->function == function &&
           (inputs == std::vector{before, other} || inputs == std::vector{other, before});
  }
  bool step_binary(size_t& n, Binary::Function function, float number) const {
    const ValueId before = graph_.nodes[n].output;
    const auto* binary = next<Binary>(n);
    if (binary == nullptr || binary->function != function) return false;
    return is_number(other_input(n, before), number);
  }
  bool is_number(ValueId id, float number) const {
    const auto& constant = graph_.value(id).constant;
    return constant && constant->data.size() == 1 &&
           std::abs(constant->data[0] - number) <= 1e-5F * std::abs(number);
  }

  // clip(x + 3, 0, 6) / 6, alone or multiplied by x, before or after the division.
  void hard(size_t n) {
    using F = Binary::Function;
    const auto* add = std::get_if<Binary>(&graph_.nodes[n].op);
    if (add == nullptr || add->function != F::add) return;
    const std::vector<ValueId>& in = graph_.nodes[n].inputs;
    const size_t other = is_number(in[1], 3.0F) ? 0 : 1;
    if (!is_number(in[1 - other], 3.0F)) return;
    const ValueId x = in[other];
    size_t end = n;
    const auto* clip = next<Unary>(end);
    if (clip == nullptr || clip->function != Unary::Function::clip || clip->alpha != 0 ||
        clip->beta != 6) {
      return;
    }
    const auto sixth = [&](size_t& at) {
      size_t by = at;
      if (step_binary(by, F::mul, 1.0F / 6)) return at = by, true;
      by = at;
      return step_binary(by, F::div, 6.0F) && (at = by, true);
    };
    size_t product = end;
    if (step_binary(product, F::mul, x) && sixth(product)) {
      return replace(n, product, Unary{Unary::Function::hard_swish}, {x});
    }
    if (!sixth(end)) return;
    product = end;
    if (step_binary(product, F::mul, x)) {
      return replace(n, product, Unary{Unary::Function::hard_swish}, {x});
    }
    replace(n, end, Unary{Unary::Function::hard_sigmoid, 1.0F / 6, 0.5F}, {x});
  }

  // x hard_sigmoid(x), x tanh(softplus(x)) and 0.5 x (1 + erf(x / sqrt 2)), as they are written.
  void activation(size_t n) {
    using F = Unary::Function;
    const auto* first = std::get_if<Unary>(&graph_.nodes[n].op);
    const ValueId x = graph_.nodes[n].inputs[0];
    const auto number = [](float a, float b) { return std::abs(a - b) < 1e-6F; };
    size_t end = n;
    if (first != nullptr && first->function == F::hard_sigmoid && number(first->alpha, 1.0F / 6) &&
        number(first->beta, 0.5F) && step_binary(end, Binary::Function::mul, x)) {
      return replace(n, end, Unary{F::hard_swish}, {x});
    }
    if (first != nullptr && first->function == F::softplus && step_unary(end, F::tanh) &&
        step_binary(end, Binary::Function::mul, x)) {
      return replace(n, end, Unary{F::mish}, {x});
    }
    // The square root of a half is multiplied or divided by.
    const auto* scaled = std::get_if<Binary>(&graph_.nodes[n].op);
    if (scaled == nullptr) return;
    const bool half = scaled->function == Binary::Function::mul
                          ? is_number(graph_.nodes[n].inputs[1], 0.70710678F)
                          : scaled->function == Binary::Function::div &&
                                is_number(graph_.nodes[n].inputs[1], 1.41421356F);
    if (half && step_unary(end, F::erf) && step_binary(end, Binary::Function::add, 1.0F) &&
        step_binary(end, Binary::Function::mul, x) &&
        step_binary(end, Binary::Function::mul, 0.5F)) {
      replace(n, end, Unary{F::gelu}, {x});
    }
  }

  Graph& graph_;
  std::vector<std::vector<size_t>> users_;  // nodes, by value
};

}  // namespace

Graph simplified(Graph graph) {
  Simplifier(graph).run();
  return channels_first(without_unused(std::move(graph)));
}

}  // namespace nestling
