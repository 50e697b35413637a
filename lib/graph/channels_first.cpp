#include "graph/channels_first.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace nestling {
namespace {

class ChannelsFirst {
 public:
  explicit ChannelsFirst(Graph graph) : graph_(std::move(graph)) {}

  Graph run() {
    const std::vector<Node> nodes = std::exchange(graph_.nodes, {});
    for (const Node& node : nodes) {
      for (const ValueId input : node.inputs) ++uses_[input];
    }
    for (const Node& node : nodes) add(node);
    for (ValueId& output : graph_.outputs) output = named_as(output);
    return without_unused(std::move(graph_));
  }

 private:
  const Shape& shape(ValueId id) const { return graph_.value(id).shape; }

  void add(Node node) {
    for (ValueId& input : node.inputs) {
      if (const auto same = same_.find(input); same != same_.end()) input = same->second;
    }
    const auto moves = [&](const std::array<int64_t, 4>& order) {
      const auto* transpose = std::get_if<Transpose>(&node.op);
      return transpose != nullptr && std::ranges::equal(transpose->order, order);
    };
    std::optional<ValueId> first;
    if (moves(kToChannelsLast)) {
      first = node.inputs[0];
    } else if (moves(kToChannelsFirst)) {
      if (const auto x = first_.find(node.inputs[0]); x != first_.end()) {
        same_[node.output] = x->second;
      }
    } else if (shape(node.output).size() == 4) {
      first = computed_first(node);
      if (first) {
        node.name += ".nhwc";
        node.op = Transpose{{kToChannelsLast.begin(), kToChannelsLast.end()}};
        node.inputs = {*first};
      }
    }
    if (first) first_[node.output] = *first;
    graph_.nodes.push_back(std::move(node));
  }

  // What a node computes, as [N, C, H, W]; nothing if it has inputs, or is of a kind, that cannot
  // be.
  std::optional<ValueId> computed_first(const Node& node) {
    const auto* norm = std::get_if<LayerNorm>(&node.op);
    const bool layer = std::holds_alternative<Gemm>(node.op);
    const bool by_element =
        std::holds_alternative<Unary>(node.op) || std::holds_alternative<Binary>(node.op);
    if (!by_element && !layer && (norm == nullptr || (norm->axis != -1 && norm->axis != 3))) {
      return std::nullopt;
    }
    for (const ValueId input : node.inputs) {
      if (!first_.contains(input) && !(layer && graph_.value(input).constant) &&
          !is_by_channel(input)) {
        return std::nullopt;
      }
    }
    std::vector<ValueId> inputs;
    for (const ValueId input : node.inputs) {
      const auto x = first_.find(input);
      inputs.push_back(x != first_.end() ? x->second : layer ? input : by_channel(input));
    }
    if (!std::ranges::count(graph_.outputs, node.output)) {
      std::string& name = graph_.value(node.output).name;
      name = unused_name(name + ".nhwc");
    }
    const auto append = [&](const char* suffix, const Op& op, std::vector<ValueId> of) {
      return add_node(graph_, unused_name(node.name + suffix), op, std::move(of));
    };
    if (by_element) return append("", node.op, inputs);
    if (layer) {
      const Shape weight = shape(inputs[1]);
      inputs[1] = reshaped(inputs[1], {weight[0], weight[1], 1, 1});
      return append("", Conv{}, inputs);
    }
    ValueId y = append("", ChannelNorm{norm->epsilon}, {inputs[0]});
    const std::vector<float>& scale = graph_.constant(inputs[1]).data;
    const bool shifts = inputs.size() > 2;
    if (shifts || std::any_of(scale.begin(), scale.end(), [](float v) { return v != 1; })) {
      y = append(".scale", Binary{Binary::Function::mul}, {y, inputs[1]});
    }
    if (shifts) y = append(".shift", Binary{Binary::Function::add}, {y, inputs[2]});
    return y;
  }

  // Whether it is a constant of one number, or of one for each place of the last axis.
  bool is_by_channel(ValueId id) const {
    const Value& value = graph_.value(id);
    if (!value.constant) return false;
    const int64_t count = element_count(value.shape);
    return count == 1 || value.shape.back() == count;
  }

  // The same for [N, C, H, W].
  ValueId by_channel(ValueId id) {
    const int64_t count = element_count(shape(id));
    return reshaped(id, count == 1 ? Shape{} : Shape{count, 1, 1});
  }

  // The same elements; the constant itself if nobody else uses it.
  ValueId reshaped(ValueId id, const Shape& shape) {
    if (uses_[id] == 1) {
      graph_.value(id).shape = graph_.constant(id).shape = shape;
      return id;
    }
    return graph_.add_constant(unused_name(graph_.value(id).name + ".nchw"),
                               {shape, graph_.constant(id).data});
  }

  // An output that is not transposed any more, under its name.
  ValueId named_as(ValueId output) {
    const auto same = same_.find(output);
    if (same == same_.end()) return output;
    const ValueId first = same->second;
    if (std::ranges::count(graph_.inputs, first) + std::ranges::count(graph_.outputs, first) > 0) {
      return output;
    }
    std::swap(graph_.value(first).name, graph_.value(output).name);
    return first;
  }

  std::string unused_name(std::string name) const {
    while (find_value(graph_, name) >= 0) name += '_';
    return name;
  }

  Graph graph_;
  std::map<ValueId, size_t> uses_;
  std::map<ValueId, ValueId> first_;  // of [N, H, W, C], the same as [N, C, H, W]
  std::map<ValueId, ValueId> same_;   // of [N, C, H, W], where it was before
};

}  // namespace

Graph channels_first(Graph graph) { return ChannelsFirst(std::move(graph)).run(); }

}  // namespace nestling
