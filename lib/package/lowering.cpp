#include "package/lowering.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "package/bounds.h"
#include "package/step.h"

namespace nestling {
namespace {

using runtime::AxisSpec;
using runtime::NodeSpec;
using runtime::RunSpec;
using runtime::ValueSpec;

// The layers of several groups that are not depthwise.
bool is_grouped(const Graph& graph, const Node& node) {
  if (!std::holds_alternative<Conv>(node.op)) return false;
  const Shape &x = graph.value(node.inputs[0]).shape, &w = graph.value(node.inputs[1]).shape;
  return Conv::groups(x, w) > 1 && !Conv::is_depthwise(x, w);
}

// Channels that follow each other in a value as they do in their group.
struct Span {
  size_t begin;
  RunSpec run;  // of channels in no group: group is kNoGroup
};
constexpr uint32_t kNoGroup = 0xffffffff;

std::vector<Span> spans_of(const std::vector<ChannelLabel>& labels,
                           const std::set<int64_t>& breaks) {
  std::vector<Span> spans;
  const size_t count = labels.size();
  const auto continues = [&](size_t at) {
    return at < count && !breaks.contains(static_cast<int64_t>(at));
  };
  for (size_t i = 0; i < count;) {
    const ChannelLabel first = labels[i];
    size_t end = i + 1;
    if (first.group < 0) {  // in no group: always there
      while (continues(end) && labels[end].group < 0) ++end;
      spans.push_back({i, {kNoGroup, 0, static_cast<uint32_t>(end - i), 1}});
      i = end;
      continue;
    }
    while (continues(end) && labels[end] == first) ++end;
    const size_t repeat = end - i;
    RunSpec run{static_cast<uint32_t>(first.group), static_cast<uint32_t>(first.channel), 1,
                static_cast<uint32_t>(repeat)};
    const auto next_channel_follows = [&] {
      for (size_t k = end; k < end + repeat; ++k) {
        if (!continues(k) || labels[k] != ChannelLabel{first.group, first.channel + run.count}) {
          return false;
        }
      }
      return true;
    };
    for (; next_channel_follows(); end += repeat) ++run.count;
    spans.push_back({i, run});
    i = end;
  }
  return spans;
}

// Where the runs of each value's channels must break: the groups of a convolution have as many runs
// each, and what keeps the channels has the same runs before and after.
class RunBreaks {
 public:
  RunBreaks(const Graph& graph, const ChannelGroups& groups)
      : graph_(graph), groups_(groups), breaks_(graph.values.size()) {
    for (bool changed = true; changed;) {
      changed = false;
      for (const Node& node : graph.nodes) {
        const auto* conv = std::get_if<Conv>(&node.op);
        if (is_grouped(graph, node)) {
          const int64_t count = Conv::groups(shape(node.inputs[0]), shape(node.inputs[1]));
          changed |= divide(node.inputs[0], count);
          changed |= divide(node.output, count);
        } else if (std::holds_alternative<BatchNorm>(node.op) ||
                   channel_operand(graph, node, Binary::Function::mul) >= 0 ||
                   (conv != nullptr &&
                    Conv::is_depthwise(shape(node.inputs[0]), shape(node.inputs[1])))) {
          changed |= carry(node);
        }
      }
    }
  }

  const std::set<int64_t>& of(ValueId id) const { return breaks_[static_cast<size_t>(id)]; }

 private:
  const Shape& shape(ValueId id) const { return graph_.value(id).shape; }
  std::set<int64_t>& at(ValueId id) { return breaks_[static_cast<size_t>(id)]; }

  // Wherever a run begins in one group, one begins in all.
  bool divide(ValueId id, int64_t count) {
    const int64_t channels = shape(id)[1], each = channels / count;
    const auto& labels = groups_.labels[static_cast<size_t>(id)][1];
    const size_t before = at(id).size();
    for (int64_t begin = each; begin < channels; begin += each) at(id).insert(begin);
    for (const Span& span : spans_of(labels, of(id))) {
      for (int64_t g = 0; g < count; ++g) {
        at(id).insert(g * each + static_cast<int64_t>(span.begin) % each);
      }
    }
    at(id).erase(0);
    return at(id).size() != before;
  }

  // What keeps the channels.
  bool carry(const Node& node) {
    const bool first = graph_.value(node.inputs[0]).constant.has_value();
    std::set<int64_t>&x = at(node.inputs[first ? 1 : 0]), &y = at(node.output);
    if (x == y) return false;
    x.insert(y.begin(), y.end());
    y = x;
    return true;
  }

  const Graph& graph_;
  const ChannelGroups& groups_;
  std::vector<std::set<int64_t>> breaks_;
};

class Lowering {
 public:
  Lowering(const Graph& graph, const Nesting& nesting)
      : graph_(graph),
        groups_(find_groups(graph)),
        breaks_(graph, groups_),
        own_(nesting.own.begin(), nesting.own.end()),
        users_(graph.values.size()) {
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      for (const ValueId input : graph.nodes[n].inputs) {
        users_[static_cast<size_t>(input)].push_back(n);
      }
    }
    for (const ValueId output : graph.outputs) {
      users_[static_cast<size_t>(output)].push_back(graph.nodes.size());
    }
    header().name = graph.name;
    header().causal = nesting.growth == Growth::causal;
    header().segments.resize(static_cast<size_t>(nesting.capacities()));
    for (const ChannelGroup& group : groups_.groups) {
      add_group(group.name, group.width);
      for (const NestedGroup& nested : nesting.groups) {
        if (nested.name != group.name) continue;
        header().groups.back().widths.assign(nested.widths.begin(), nested.widths.end());
      }
    }
  }

  Lowered run() {
    for (const ValueId id : graph_.inputs) header().inputs.push_back(named_value(id));
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!done_.contains(n) && !alias(n)) add(n);
    }
    for (const ValueId id : graph_.outputs) header().outputs.push_back(named_value(id));
    return std::move(lowered_);
  }

 private:
  class Step;
  friend class Step;

  runtime::PackageHeader& header() { return lowered_.header; }
  const Shape& shape(ValueId id) const { return graph_.value(id).shape; }

  uint32_t add_group(const std::string& name, int64_t width) {
    runtime::GroupSpec group{name, {}};
    group.widths.assign(header().segments.size(), static_cast<uint32_t>(width));
    header().groups.push_back(std::move(group));
    return static_cast<uint32_t>(header().groups.size() - 1);
  }

  // The runs of an axis's labels.
  AxisSpec runs(const std::vector<ChannelLabel>& labels, const std::set<int64_t>& breaks) {
    AxisSpec axis;
    for (const Span& span : spans_of(labels, breaks)) {
      axis.runs.push_back(span.run);
      uint32_t& group = axis.runs.back().group;
      if (group == kNoGroup) group = add_group("", span.run.count);
    }
    return axis;
  }

  std::vector<AxisSpec> axes(ValueId id) {
    std::vector<AxisSpec> result;
    for (size_t a = 0; a < shape(id).size(); ++a) {
      const auto& labels = groups_.labels[static_cast<size_t>(id)][a];
      const bool channels = a == (shape(id).size() == 4 ? 1 : shape(id).size() - 1);
      if (labels.empty()) {
        const int64_t size = shape(id)[a] == kBatch ? 1 : shape(id)[a];
        result.push_back({static_cast<uint32_t>(size), {}});
      } else {
        result.push_back(runs(labels, channels ? breaks_.of(id) : std::set<int64_t>{}));
      }
    }
    return result;
  }

  bool grows(const AxisSpec& axis) {
    return header().axis_size(axis, 1) != header().axis_size(axis, header().capacities());
  }
  bool grows(const ValueSpec& value) {
    return std::any_of(value.axes.begin(), value.axes.end(),
                       [&](const AxisSpec& axis) { return grows(axis); });
  }

  uint32_t add_value(ValueSpec value) {
    header().values.push_back(std::move(value));
    return static_cast<uint32_t>(header().values.size() - 1);
  }

  uint32_t add_constant(ValueSpec value, bool own, ConstantSource source) {
    value.storage = own || grows(value) ? runtime::Storage::own : runtime::Storage::shared;
    const uint32_t number = add_value(std::move(value));
    lowered_.constants[number] = std::move(source);
    return number;
  }

  // The header's value; added when it is first met.
  uint32_t value(ValueId id) {
    if (const auto alias = aliases_.find(id); alias != aliases_.end()) id = alias->second;
    if (const auto found = ids_.find(id); found != ids_.end()) return found->second;
    uint32_t number = 0;
    if (graph_.value(id).constant) {
      const std::string name = graph_.value(id).name;
      number = add_constant({"", axes(id)}, own_.contains(name), [name](const Graph& capacity) {
        return capacity.constant(find_value(capacity, name));
      });
    } else {
      number = add_value({"", axes(id)});
    }
    ids_[id] = number;
    return number;
  }

  uint32_t named_value(ValueId id) {
    const uint32_t number = value(id);
    header().values[number].name = graph_.value(id).name;
    return number;
  }

  // The elements of an image that only fully connected layers see stay where they are: what they
  // see is the image.
  bool alias(size_t n) {
    const Node& node = graph_.nodes[n];
    if (!std::holds_alternative<Reshape>(node.op)) return false;
    const Shape &x = shape(node.inputs[0]), &y = shape(node.output);
    if (x.size() != 4 || y.size() != 2 || x[0] != y[0]) return false;
    for (const size_t user : users_[static_cast<size_t>(node.output)]) {
      if (user == graph_.nodes.size() || !std::holds_alternative<Gemm>(graph_.nodes[user].op)) {
        return false;
      }
    }
    const auto before = aliases_.find(node.inputs[0]);
    aliases_[node.output] = before == aliases_.end() ? node.inputs[0] : before->second;
    return true;
  }

  // The only user of `id`, if it is of type T.
  template <typename T>
  const Node* only_user(ValueId id, size_t& index) const {
    const std::vector<size_t>& users = users_[static_cast<size_t>(id)];
    if (users.size() != 1 || users[0] == graph_.nodes.size()) return nullptr;
    index = users[0];
    const Node& node = graph_.nodes[index];
    const bool either = std::is_same_v<T, Binary>;  // input
    return std::holds_alternative<T>(node.op) && (either || node.inputs[0] == id) ? &node : nullptr;
  }

  void add(size_t n);

  // Appends a node; the activation function after it becomes its bounds, if it has none.
  void finish(NodeSpec spec, LayerSource source, ValueId output) {
    const NodeSpec unbounded;
    size_t n = 0;
    if (spec.low == unbounded.low && spec.high == unbounded.high) {
      const Node* bounds = only_user<Unary>(output, n);
      if (bounds != nullptr && set_bounds(spec, std::get<Unary>(bounds->op))) {
        done_.insert(n);
        output = bounds->output;
      }
    }
    spec.output = value(output);
    append(std::move(spec), std::move(source));
  }

  void append(NodeSpec spec, LayerSource source) {
    header().nodes.push_back(std::move(spec));
    lowered_.sources.push_back(std::move(source));
  }

  const Graph& graph_;
  ChannelGroups groups_;
  RunBreaks breaks_;
  std::set<std::string> own_;
  std::vector<std::vector<size_t>> users_;  // nodes, by value; an output has one that is not there
  Lowered lowered_;
  std::set<size_t> done_;               // nodes that became part of an earlier one
  std::map<ValueId, uint32_t> ids_;     // the header's values
  std::map<ValueId, ValueId> aliases_;  // flattened: its image
};

class Lowering::Step final : public LoweringStep {
 public:
  Step(Lowering& lowering, const Node& node) : lowering_(lowering), node_(node) {}

  const Graph& graph() const override { return lowering_.graph_; }
  const Node& node() const override { return node_; }
  uint32_t input(size_t i) override { return lowering_.value(node_.inputs[i]); }

  void append(NodeSpec spec, std::vector<uint32_t> inputs) override {
    spec.inputs = std::move(inputs);
    lowering_.finish(std::move(spec), {}, node_.output);
  }

  void append_layer(NodeSpec spec, LayerSource source) override {
    if (spec.inputs.empty()) spec.inputs = {input(0)};
    ValueId output = node_.output;
    size_t n = 0;
    const size_t rank = out_shape().size();
    const Node* norm = lowering_.only_user<BatchNorm>(output, n);
    if (norm != nullptr && source.scale.empty() && (rank == 2 || rank == 4)) {
      take_norm(source, graph(), *norm);
      lowering_.done_.insert(n);
      output = norm->output;
    }
    const auto take = [&](Binary::Function function, std::string& to) {
      const Node* next = to.empty() ? lowering_.only_user<Binary>(output, n) : nullptr;
      const int operand = next == nullptr ? -1 : channel_operand(graph(), *next, function);
      if (operand < 0) return;
      to = graph().value(next->inputs[static_cast<size_t>(operand)]).name;
      lowering_.done_.insert(n);
      output = next->output;
    };
    if (source.shift.empty()) take(Binary::Function::mul, source.scale);
    take(Binary::Function::add, source.shift);
    const auto own = [&](const std::string& name) { return lowering_.own_.contains(name); };
    spec.own_weights = own(source.weight);
    spec.own_scale = own(source.bias) || own(source.scale) || own(source.shift) || spec.own_weights;
    lowering_.finish(std::move(spec), std::move(source), output);
  }

  uint32_t append_inner(NodeSpec spec, std::vector<uint32_t> inputs) override {
    spec.inputs = std::move(inputs);
    spec.output = lowering_.add_value({"", lowering_.axes(node_.output)});
    const uint32_t output = spec.output;
    lowering_.append(std::move(spec), {});
    return output;
  }

  std::vector<uint32_t> leading_parts(size_t axis, int64_t count) override {
    std::vector<ChannelLabel> labels =
        lowering_.groups_.labels[static_cast<size_t>(node_.inputs[0])][axis];
    if (labels.empty() || count == 0) return {};
    labels.resize(static_cast<size_t>(count));
    ValueSpec part = lowering_.header().values[input(0)];
    part.name.clear();
    part.storage = runtime::Storage::computed;
    part.axes[axis] = lowering_.runs(labels, {});
    if (!lowering_.grows(part.axes[axis])) return {};
    // A split has them already: slices of the same value that end where this one begins.
    if (std::vector<uint32_t> slices = earlier_slices(axis, count); !slices.empty()) return slices;
    NodeSpec spec = spec_of("slice");
    for (size_t a = 0; a < part.axes.size(); ++a) {
      spec.numbers.insert(spec.numbers.end(), {0, 1, 0});
    }
    spec.inputs = {input(0)};
    spec.output = lowering_.add_value(std::move(part));
    lowering_.append(spec, {});
    return {spec.output};
  }

  uint32_t channel_constant(size_t axis, ConstantSource source) override {
    ValueSpec value{"", lowering_.axes(node_.output)};
    for (size_t a = 0; a < value.axes.size(); ++a) {
      if (a != axis) value.axes[a] = {1, {}};
    }
    bool own = false;
    for (const ValueId id : node_.inputs)
      own = own || lowering_.own_.contains(graph().value(id).name);
    return lowering_.add_constant(std::move(value), own, std::move(source));
  }

  const Shape* flattened_image() const override {
    const auto found = lowering_.aliases_.find(node_.inputs[0]);
    return found == lowering_.aliases_.end() ? nullptr : &graph().value(found->second).shape;
  }

 private:
  // Those before this node whose parts of input 0 follow each other from 0 to `end`; none if there
  // is a gap.
  std::vector<uint32_t> earlier_slices(size_t axis, int64_t end) {
    std::vector<uint32_t> slices;
    int64_t at = 0;
    for (const Node& node : graph().nodes) {
      if (&node == &node_ || at == end) break;
      const Slice* slice = std::get_if<Slice>(&node.op);
      const auto known = lowering_.ids_.find(node.output);
      if (slice == nullptr || node.inputs[0] != node_.inputs[0] || slice->axes.size() != 1 ||
          slice->axes[0] != static_cast<int64_t>(axis) || known == lowering_.ids_.end()) {
        continue;
      }
      const Slice::Range range = slice->range(0, in_shape(0)[axis]);
      if (range.start != at || range.step != 1 || range.start + range.count > end) continue;
      slices.push_back(known->second);
      at += range.count;
    }
    return at == end ? slices : std::vector<uint32_t>{};
  }

  Lowering& lowering_;
  const Node& node_;
};

void Lowering::add(size_t n) {
  const Node& node = graph_.nodes[n];
  Step step(*this, node);
  std::visit([&](const auto& op) { lower(op, step); }, node.op);
}

}  // namespace

void take_norm(LayerSource& source, const Graph& graph, const Node& norm) {
  const auto name = [&](size_t i) { return graph.value(norm.inputs[i]).name; };
  source.scale = name(1);
  source.shift = name(2);
  source.mean = name(3);
  source.variance = name(4);
  source.epsilon = std::get<BatchNorm>(norm.op).epsilon;
}

LayerSource LoweringStep::weights() const {
  LayerSource source;
  source.weight = graph().value(node().inputs[1]).name;
  if (node().inputs.size() > 2) source.bias = graph().value(node().inputs[2]).name;
  return source;
}

void LoweringStep::refuse(const std::string& what) const {
  fail("node \"{}\" ({}): {}", node().name, op_name(node().op), what);
}

Lowered lower(const Graph& graph, const Nesting& nesting) { return Lowering(graph, nesting).run(); }

}  // namespace nestling
