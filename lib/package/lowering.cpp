#include "package/lowering.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "base/error.h"

namespace nestling {
namespace {

using runtime::NodeSpec;
using runtime::OpKind;

template <size_t N>
std::array<uint32_t, N> narrow(const std::array<int64_t, N>& numbers) {
  std::array<uint32_t, N> result;
  std::transform(numbers.begin(), numbers.end(), result.begin(),
                 [](int64_t n) { return static_cast<uint32_t>(n); });
  return result;
}

class Lowering {
 public:
  Lowering(const Graph& graph, const Nesting& nesting)
      : graph_(graph),
        groups_(find_groups(graph)),
        own_(nesting.own.begin(), nesting.own.end()),
        uses_(graph.values.size()) {
    for (const Node& node : graph.nodes) {
      for (const ValueId input : node.inputs) ++uses_[static_cast<size_t>(input)];
    }
    for (const ValueId output : graph.outputs) ++uses_[static_cast<size_t>(output)];
    header().name = graph.name;
    header().causal = nesting.growth == Growth::causal;
    header().segments.resize(static_cast<size_t>(nesting.capacities()));
    for (const ChannelGroup& group : groups_.groups) {
      runtime::GroupSpec spec{group.name, {}};
      spec.widths.assign(header().segments.size(), static_cast<uint32_t>(group.width));
      for (const NestedGroup& nested : nesting.groups) {
        if (nested.name == group.name)
          spec.widths.assign(nested.widths.begin(), nested.widths.end());
      }
      header().groups.push_back(std::move(spec));
    }
  }

  Lowered run() {
    if (graph_.inputs.size() != 1 || graph_.outputs.size() != 1) {
      fail("{} has {} inputs and {} outputs; a package has one of each", graph_.name,
           graph_.inputs.size(), graph_.outputs.size());
    }
    header().input = value(graph_.inputs[0]);
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!done_.contains(n)) add(n);
    }
    header().output = value(graph_.outputs[0]);
    return std::move(lowered_);
  }

 private:
  runtime::PackageHeader& header() { return lowered_.header; }
  const Shape& shape(ValueId id) const { return graph_.value(id).shape; }

  [[noreturn]] static void refuse(const Node& node, const std::string& what) {
    fail("node \"{}\" ({}): {}", node.name, op_name(node.op), what);
  }

  // The header's value for an activation; added when it is first met. A flattened value is the one
  // before the flatten, whose order of elements only the layer after it needs to know.
  uint32_t value(ValueId id) {
    if (const auto alias = flattened_.find(id); alias != flattened_.end()) id = alias->second;
    const auto [found, added] = ids_.emplace(id, static_cast<uint32_t>(header().values.size()));
    if (added) {
      runtime::ValueSpec spec;
      int64_t expected = 0;  // the channels of each group stand together, in their order
      for (const ChannelLabel& label : groups_.labels[static_cast<size_t>(id)][1]) {
        const auto group = static_cast<uint32_t>(label.group);
        if (label.channel == 0) spec.groups.push_back(group);
        if (label.channel == 0) expected = 0;
        if (spec.groups.empty() || spec.groups.back() != group || label.channel != expected++) {
          fail("the channels of \"{}\" are in an order that a package cannot hold",
               graph_.value(id).name);
        }
      }
      if (shape(id).size() == 4) {
        spec.height = static_cast<uint32_t>(shape(id)[2]);
        spec.width = static_cast<uint32_t>(shape(id)[3]);
      }
      header().values.push_back(std::move(spec));
    }
    return found->second;
  }

  // Whether a value is the flatten of more than one pixel.
  bool spreads(ValueId id) const {
    const auto alias = flattened_.find(id);
    return alias != flattened_.end() && shape(alias->second)[1] != shape(id)[1];
  }

  // The only node that uses `id`, if it is of type T.
  template <typename T>
  const Node* only_user(ValueId id, size_t& index) const {
    if (uses_[static_cast<size_t>(id)] != 1) return nullptr;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      if (!node.inputs.empty() && node.inputs[0] == id) {
        index = n;
        return std::holds_alternative<T>(node.op) ? &node : nullptr;
      }
    }
    return nullptr;
  }

  static bool set_bounds(NodeSpec& spec, const Unary& op) {
    if (op.function == Unary::Function::relu) {
      spec.low = 0;
    } else if (op.function == Unary::Function::clip) {
      spec.low = op.alpha;
      spec.high = op.beta;
    } else {
      return false;
    }
    return true;
  }

  // The activation function after `id`, if there is one, becomes the node's bounds.
  ValueId fuse_bounds(NodeSpec& spec, ValueId id) {
    size_t n = 0;
    if (const Node* bounds = only_user<Unary>(id, n)) {
      const auto& op = std::get<Unary>(bounds->op);
      if (!set_bounds(spec, op)) return id;
      done_.insert(n);
      return bounds->output;
    }
    return id;
  }

  void take_norm(LayerSource& source, const Node& norm) {
    const auto name = [&](size_t i) { return graph_.value(norm.inputs[i]).name; };
    source.scale = name(1);
    source.shift = name(2);
    source.mean = name(3);
    source.variance = name(4);
    source.epsilon = std::get<BatchNorm>(norm.op).epsilon;
  }

  void finish(NodeSpec spec, LayerSource source, ValueId output) {
    output = fuse_bounds(spec, output);
    spec.output = value(output);
    const auto own = [&](const std::string& name) { return own_.contains(name); };
    spec.own_weights = own(source.weight);
    spec.own_scale = own(source.bias) || own(source.scale) || spec.own_weights;
    header().nodes.push_back(std::move(spec));
    lowered_.sources.push_back(std::move(source));
  }

  // A convolution or fully connected layer, with the batch norm after it.
  void add_layer(const Node& node, NodeSpec spec) {
    LayerSource source;
    source.weight = graph_.value(node.inputs[1]).name;
    if (node.inputs.size() > 2) source.bias = graph_.value(node.inputs[2]).name;
    ValueId output = node.output;
    size_t n = 0;
    if (const Node* norm = only_user<BatchNorm>(output, n)) {
      take_norm(source, *norm);
      done_.insert(n);
      output = norm->output;
    }
    finish(std::move(spec), std::move(source), output);
  }

  void add(size_t n) {
    const Node& node = graph_.nodes[n];
    const auto* reshape = std::get_if<Reshape>(&node.op);
    if (reshape != nullptr && reshape->to == flatten().to) {
      const auto before = flattened_.find(node.inputs[0]);
      flattened_[node.output] = before == flattened_.end() ? node.inputs[0] : before->second;
      if (graph_.outputs[0] == node.output && spreads(node.output)) {
        refuse(node, "the network's output cannot be a flatten of more than one pixel");
      }
      return;
    }
    NodeSpec spec;
    for (const ValueId input : node.inputs) {
      if (graph_.value(input).constant) continue;
      if (spreads(input) && !std::holds_alternative<Gemm>(node.op)) {
        refuse(node, "after a flatten of more than one pixel only Gemm is supported");
      }
      spec.inputs.push_back(value(input));
    }
    std::visit([&](const auto& op) { add(node, op, std::move(spec)); }, node.op);
  }

  void add(const Node& node, const Conv& op, NodeSpec spec) {
    const Shape& weight = shape(node.inputs[1]);
    const bool depthwise = shape(node.inputs[0])[1] != weight[1];
    if (depthwise && (weight[1] != 1 || weight[0] != shape(node.inputs[0])[1])) {
      refuse(node, "a convolution with groups is supported in a package if it is depthwise");
    }
    spec.op = depthwise ? OpKind::depthwise : OpKind::conv;
    spec.kernel = narrow(op.kernel);
    spec.stride = narrow(op.stride);
    spec.dilation = narrow(op.dilation);
    spec.padding = narrow(op.padding);
    add_layer(node, std::move(spec));
  }
  void add(const Node& node, const Gemm&, NodeSpec spec) {
    spec.op = OpKind::conv;
    const runtime::ValueSpec& x = header().values[spec.inputs[0]];
    spec.kernel = {x.height, x.width};
    add_layer(node, std::move(spec));
  }
  void add(const Node& node, const BatchNorm&, NodeSpec spec) {
    spec.op = OpKind::affine;
    LayerSource source;
    take_norm(source, node);
    finish(std::move(spec), std::move(source), node.output);
  }
  template <typename Pool>
  void add_pool(const Node& node, const Pool& op, NodeSpec spec) {
    spec.kernel = narrow(op.kernel);
    spec.stride = narrow(op.stride);
    spec.padding = narrow(op.padding);
    finish(std::move(spec), {}, node.output);
  }
  void add(const Node& node, const MaxPool& op, NodeSpec spec) {
    spec.op = OpKind::max_pool;
    add_pool(node, op, std::move(spec));
  }
  void add(const Node& node, const AveragePool& op, NodeSpec spec) {
    spec.op = OpKind::average_pool;
    spec.count_padding = op.count_padding;
    add_pool(node, op, std::move(spec));
  }
  void add(const Node& node, const Reduce& op, NodeSpec spec) {
    if (op.function != Reduce::Function::mean || op.axes != global_average_pool().axes ||
        !op.keep) {
      refuse(node, "is not supported in a package");
    }
    spec.op = OpKind::average_pool;
    const Shape& x = shape(node.inputs[0]);
    add_pool(node, AveragePool{.kernel = {x[2], x[3]}}, std::move(spec));
  }
  void add(const Node& node, const Binary& op, NodeSpec spec) {
    if (op.function != Binary::Function::add || spec.inputs.size() != 2 ||
        shape(node.inputs[0]) != shape(node.inputs[1])) {
      refuse(node, "is not supported in a package");
    }
    add_simple(node, OpKind::add, std::move(spec));
  }
  void add(const Node& node, const Concat&, NodeSpec spec) {
    add_simple(node, OpKind::concat, std::move(spec));
  }
  void add(const Node& node, const Softmax&, NodeSpec spec) {
    spec.op = OpKind::softmax;
    spec.output = value(node.output);  // softmax has no bounds
    header().nodes.push_back(std::move(spec));
    lowered_.sources.emplace_back();
  }
  void add(const Node& node, const Unary& op, NodeSpec spec) {
    if (!set_bounds(spec, op)) refuse(node, "is not supported in a package");
    add_bounds(node, std::move(spec));
  }
  template <typename Other>
  void add(const Node& node, const Other&, const NodeSpec&) {
    refuse(node, "is not supported in a package");
  }
  void add_simple(const Node& node, OpKind kind, NodeSpec spec) {
    spec.op = kind;
    finish(std::move(spec), {}, node.output);
  }
  void add_bounds(const Node& node, NodeSpec spec) {
    spec.op = OpKind::clamp;
    spec.output = value(node.output);
    header().nodes.push_back(std::move(spec));
    lowered_.sources.emplace_back();
  }

  const Graph& graph_;
  ChannelGroups groups_;
  std::set<std::string> own_;
  std::vector<int> uses_;
  Lowered lowered_;
  std::set<size_t> done_;                 // nodes that became part of an earlier one
  std::map<ValueId, uint32_t> ids_;       // the header's values
  std::map<ValueId, ValueId> flattened_;  // flatten's output: its input
};

}  // namespace

Lowered lower(const Graph& graph, const Nesting& nesting) { return Lowering(graph, nesting).run(); }

}  // namespace nestling
