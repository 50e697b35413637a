#include <algorithm>
#include <fmt/ranges.h>
#include <limits>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "graph/interpreter.h"
#include "graph/onnx.h"
#include "graph/onnx_external.h"
#include "graph/onnx_fold.h"
#include "graph/onnx_node.h"
#include "graph/onnx_tensor.h"
#include "graph/shapes.h"
#include "graph/simplify.h"

namespace nestling {
namespace {

// What the operators in ops/ read, by ONNX name.
const std::map<std::string, void (*)(OnnxNode&)>& rules() {
  static const auto all = [] {
    std::map<std::string, void (*)(OnnxNode&)> result;
    const auto add = [&](const std::vector<OnnxRule>& of_one) {
      for (const OnnxRule& rule : of_one) result[rule.name] = rule.read;
    };
#define NESTLING_ADD(Op) add(Op::onnx());
    NESTLING_FOR_EACH_OP(NESTLING_ADD)
#undef NESTLING_ADD
    return result;
  }();
  return all;
}

// These change nothing that the graph knows of: it has no types, and no training.
bool passes_through(const std::string& op_type) {
  return op_type == "Identity" || op_type == "Dropout" || op_type == "Cast";
}

Tensor as_floats(const Numbers& numbers) {
  Tensor tensor{numbers.shape, {}};
  for (const double n : numbers.data) {
    if (!std::isfinite(n)) fail("uses a size that depends on the batch as data");
    tensor.data.push_back(static_cast<float>(n));
  }
  return tensor;
}

// What is computed while a stranger's file is read takes neither long nor much: elements are moved
// or mapped, and not to many more than there are.
void check_foldable(const Op& op, const std::vector<const Tensor*>& inputs, const Shape& shape) {
  const bool simple = std::visit(
      []<typename T>(const T&) {
        return std::is_same_v<T, Unary> || std::is_same_v<T, Binary> ||
               std::is_same_v<T, Reshape> || std::is_same_v<T, Transpose> ||
               std::is_same_v<T, Slice> || std::is_same_v<T, Concat> || std::is_same_v<T, Pad> ||
               std::is_same_v<T, Reduce>;
      },
      op);
  if (!simple) fail("works on constants only, which is not supported");
  size_t given = size_t{1} << 20;
  for (const Tensor* input : inputs) given += input->data.size();
  if (static_cast<size_t>(element_count(shape)) > given) fail("makes too large a constant");
}

class Importer {
 public:
  // Batches of any size, or of the one that the file says.
  enum class Batch { any, fixed };

  Importer(const onnx::ModelProto& model, Batch batch, const Shape& input)
      : proto_(model.graph()), batch_(batch), input_(input) {
    for (const onnx::OperatorSetIdProto& opset : model.opset_import()) {
      if (opset.domain().empty()) opset_ = opset.version();
    }
    for (const onnx::TensorProto& tensor : proto_.initializer()) {
      if (!tensors_.emplace(tensor.name(), &tensor).second) {
        fail("the initializer \"{}\" is there twice", tensor.name());
      }
    }
  }

  Graph run(const onnx::ModelProto& model) {
    graph_.name = proto_.name();
    for (const onnx::StringStringEntryProto& entry : model.metadata_props()) {
      graph_.metadata[entry.key()] = entry.value();
    }
    const std::set<std::string> channels_last = with_channels_last();
    for (const onnx::ValueInfoProto& input : proto_.input()) {
      if (tensors_.contains(input.name())) continue;
      add_input(input, channels_last.contains(input.name()));
    }
    std::vector<std::string> problems;
    for (const onnx::NodeProto& node : proto_.node()) {
      try {
        add(node);
      } catch (const Error& error) {
        // What follows a node that failed is not an error of its own.
        const bool follows = std::any_of(node.input().begin(), node.input().end(),
                                         [&](const auto& name) { return failed_.contains(name); });
        if (!follows) problems.push_back(describe(node) + " " + error.what());
        for (const std::string& output : node.output()) failed_.insert(output);
      }
    }
    if (!problems.empty()) fail("{}", fmt::join(problems, "; "));
    for (const onnx::ValueInfoProto& output : proto_.output()) add_output(output.name());
    if (graph_.outputs.empty()) fail("it has no output");
    Graph result = simplified(std::move(graph_));
    keep_capacities(result);
    return result;
  }

 private:
  class Node;
  friend class Node;

  static std::string describe(const onnx::NodeProto& node) {
    return fmt::format("node \"{}\" ({})",
                       node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name(),
                       node.op_type());
  }

  // [N, H, W, C] becomes [N, C, H, W].
  static bool moves_channels(const onnx::NodeProto& node) {
    return node.op_type() == "Transpose" && node.input_size() == 1 && node.output_size() == 1 &&
           node.attribute_size() == 1 &&
           std::ranges::equal(node.attribute(0).ints(), kToChannelsFirst);
  }

  // Of a network that convolves, what may be images as TensorFlow has them: nothing is done to them
  // before their channels are moved. The network is then one that takes [N, C, H, W].
  std::set<std::string> with_channels_last() const {
    bool convolves = false;
    std::set<std::string> moved, others;
    for (const onnx::NodeProto& node : proto_.node()) {
      convolves = convolves || node.op_type() == "Conv";
      (moves_channels(node) ? moved : others).insert(node.input().begin(), node.input().end());
    }
    std::erase_if(moved, [&](const auto& name) { return !convolves || others.contains(name); });
    return moved;
  }

  void add_input(const onnx::ValueInfoProto& input, bool channels_last) {
    const auto& type = input.type().tensor_type();
    if (!is_float(type.elem_type())) {
      fail("its input \"{}\" does not hold floating-point numbers", input.name());
    }
    std::vector<onnx::TensorShapeProto::Dimension> dimensions(type.shape().dim().begin(),
                                                              type.shape().dim().end());
    if (channels_last && dimensions.size() == 4) {
      channels_last_.insert(input.name());
      std::rotate(dimensions.begin() + 1, dimensions.begin() + 3, dimensions.end());
    }
    const size_t given = input_.size();
    if (given > 0 && (dimensions.size() != given + 1 || !graph_.inputs.empty())) {
      fail("it does not have one input of {} dimensions, of which a size was given", given + 1);
    }
    Shape shape;
    for (const auto& dimension : dimensions) {
      if (shape.empty() && batch_ == Batch::any) {
        shape.push_back(kBatch);  // whatever the file says
        const int64_t size = dimension.dim_value();
        if (size > 0 && batch_size_ > 0 && size != batch_size_) fail("its inputs' batches differ");
        if (size > 0) batch_size_ = size;
      } else if (given > 0 && !shape.empty()) {
        shape.push_back(input_[shape.size() - 1]);
      } else if (dimension.dim_value() > 0) {
        shape.push_back(dimension.dim_value());
      } else {
        fail(
            "its input \"{}\" has a dimension of unknown size; give its size (--input) or export "
            "it with fixed sizes",
            input.name());
      }
    }
    if (shape.size() < 2 && batch_ == Batch::any) {
      fail("its input \"{}\" is not a batch", input.name());
    }
    element_count(shape);
    define(input.name(), graph_.add_value(input.name(), shape));
    graph_.inputs.push_back(ids_.at(input.name()));
  }

  void add_output(const std::string& name) {
    const ValueId id = value(name);
    if (graph_.value(id).constant) fail("its output \"{}\" is a constant", name);
    if (expanded_.contains(name))
      fail("its output \"{}\" is expanded, which is not supported", name);
    const auto is = [&](const std::vector<ValueId>& ids) {
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    if (!is(graph_.inputs) && !is(graph_.outputs)) graph_.value(id).name = name;
    graph_.outputs.push_back(id);
  }

  // What is smaller than the graph: the tensors that single capacities of a nested model have for
  // themselves. No node uses them.
  void keep_capacities(Graph& graph) const {
    if (!graph.metadata.contains("nestling.nesting")) return;
    for (const onnx::TensorProto& tensor : proto_.initializer()) {
      if (tensor.name().starts_with("capacity") && find_value(graph, tensor.name()) < 0) {
        graph.add_constant(tensor.name(), float_tensor(tensor));
      }
    }
  }

  void define(const std::string& name, ValueId id) {
    if (!ids_.emplace(name, id).second || numbers_.contains(name))
      fail("defines \"{}\" again", name);
  }
  void define(const std::string& name, Numbers numbers) {
    if (!numbers_.emplace(name, std::move(numbers)).second || ids_.contains(name)) {
      fail("defines \"{}\" again", name);
    }
  }
  void define(const std::string& name, const onnx::TensorProto& tensor) {
    if (ids_.contains(name) || !tensors_.emplace(name, &tensor).second) {
      fail("defines \"{}\" again", name);
    }
  }

  const onnx::TensorProto* tensor(const std::string& name) const {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : found->second;
  }

  // The numbers of a constant; nothing if it is an activation or a constant of the graph's own.
  std::optional<Numbers> numbers(const std::string& name) const {
    if (const auto found = numbers_.find(name); found != numbers_.end()) return found->second;
    if (const auto* found = tensor(name)) return number_tensor(*found);
    if (const auto found = ids_.find(name); found != ids_.end()) {
      const auto& constant = graph_.value(found->second).constant;
      if (constant)
        return Numbers{constant->shape, {constant->data.begin(), constant->data.end()}, true};
    }
    return std::nullopt;
  }

  // The id of an activation, or of a constant that is added to the graph at its first use.
  ValueId value(const std::string& name) {
    const auto found = ids_.find(name);
    if (found != ids_.end()) return found->second;
    Tensor constant;
    if (const auto known = numbers_.find(name); known != numbers_.end()) {
      constant = as_floats(known->second);
    } else if (const onnx::TensorProto* proto = tensor(name)) {
      constant = is_float(*proto) ? float_tensor(*proto) : as_floats(number_tensor(*proto));
    } else {
      fail("uses \"{}\", which no earlier node produces", name);
    }
    const ValueId id = graph_.add_constant(name, std::move(constant));
    ids_.emplace(name, id);
    return id;
  }

  // Appends a node, or computes it if all its inputs are constants.
  ValueId append(std::string name, std::string output, const Op& op, std::vector<ValueId> inputs) {
    nestling::Node added{std::move(name), op, std::move(inputs), -1};
    Shape shape;
    try {
      shape = output_shape(graph_, added);
    } catch (const Error& error) {
      // The sentence begins with the node, as ours does.
      const std::string text = error.what();
      fail("{}", text.substr(text.find("): ") + 3));
    }
    std::vector<const Tensor*> constants;
    for (const ValueId id : added.inputs) {
      if (graph_.value(id).constant) constants.push_back(&*graph_.value(id).constant);
    }
    if (constants.size() == added.inputs.size()) {
      check_foldable(op, constants, shape);
      return graph_.add_constant(std::move(output), interpret(op, constants, std::move(shape)));
    }
    added.output = graph_.add_value(std::move(output), std::move(shape));
    graph_.nodes.push_back(std::move(added));
    return graph_.nodes.back().output;
  }

  void add(const onnx::NodeProto& node);
  void expand(Node& node, const std::string& output);
  void check_expanded(const onnx::NodeProto& node) const;
  void add_constant(const onnx::NodeProto& node);
  bool fold(const onnx::NodeProto& node);

  const onnx::GraphProto& proto_;
  Batch batch_;
  const Shape& input_;
  int64_t opset_ = 1;
  int64_t batch_size_ = 0;  // that the file was exported with
  Graph graph_;
  std::map<std::string, const onnx::TensorProto*> tensors_;  // constants of the file
  std::map<std::string, Numbers> numbers_;                   // constants that were computed
  std::map<std::string, ValueId> ids_;
  std::map<std::string, Shape> expanded_;  // what the file has larger than ids_
  std::set<std::string> channels_last_;    // inputs that the file has so
  std::set<std::string> names_;            // of nodes
  std::set<std::string> failed_;           // values whose nodes could not be imported
};

// A node whose attributes have not all been asked for is one that says more than we understand.
class Importer::Node final : public OnnxNode {
 public:
  Node(Importer& importer, const onnx::NodeProto& proto) : importer_(importer), proto_(proto) {
    name_ = proto.name();
    if ((name_.empty() || !importer.names_.insert(name_).second) && proto.output_size() > 0) {
      name_ = proto.output(0);
    }
  }

  int64_t integer(const char* name, int64_t otherwise) override {
    const auto* found = find(name, onnx::AttributeProto::INT);
    return found == nullptr ? otherwise : found->i();
  }
  float real(const char* name, float otherwise) override {
    const auto* found = find(name, onnx::AttributeProto::FLOAT);
    const float value = found == nullptr ? otherwise : found->f();
    if (!std::isfinite(value)) fail("its attribute {} is not finite", name);
    return value;
  }
  std::string text(const char* name, const char* otherwise) override {
    const auto* found = find(name, onnx::AttributeProto::STRING);
    return found == nullptr ? otherwise : found->s();
  }
  using OnnxNode::integers;
  std::vector<int64_t> integers(const char* name) override {
    const auto* found = find(name, onnx::AttributeProto::INTS);
    if (found == nullptr) return {};
    return {found->ints().begin(), found->ints().end()};
  }
  std::vector<float> reals(const char* name) override {
    const auto* found = find(name, onnx::AttributeProto::FLOATS);
    if (found == nullptr) return {};
    return {found->floats().begin(), found->floats().end()};
  }
  void ignore(const char* name) override { read_.insert(name); }

  void check_all_read() const {
    for (const onnx::AttributeProto& attribute : proto_.attribute()) {
      if (!read_.contains(attribute.name())) {
        fail("its attribute {} is not supported", attribute.name());
      }
    }
  }

  int64_t opset() const override { return importer_.opset_; }
  bool is_batch_size(int64_t size) const override { return size == importer_.batch_size_; }
  const std::string& op_type() const override { return proto_.op_type(); }
  size_t inputs() const override { return static_cast<size_t>(proto_.input_size()); }
  size_t outputs() const override { return static_cast<size_t>(proto_.output_size()); }
  bool has_input(size_t i) const override { return i < inputs() && !input_name(i).empty(); }
  bool has_output(size_t i) const override {
    return i < outputs() && !proto_.output(static_cast<int>(i)).empty();
  }

  ValueId value(size_t input) override {
    if (!has_input(input)) fail("has too few inputs");
    return importer_.value(input_name(input));
  }
  std::vector<ValueId> values() override {
    std::vector<ValueId> all;
    for (size_t i = 0; i < inputs(); ++i) {
      if (has_input(i)) all.push_back(value(i));
    }
    return all;
  }
  Shape shape(size_t input) override { return importer_.graph_.value(value(input)).shape; }
  bool is_constant(size_t input) override {
    return importer_.graph_.value(value(input)).constant.has_value();
  }
  std::vector<double> numbers(size_t input) override {
    const auto found = importer_.numbers(has_input(input) ? input_name(input) : "");
    if (!found) fail("needs a constant as input {}", input);
    return found->data;
  }

  void append(const Op& op, std::vector<ValueId> inputs, size_t output) override {
    if (!has_output(output)) fail("has no output");
    const std::string& name = proto_.output(static_cast<int>(output));
    const std::string suffix = output == 0 ? "" : "." + std::to_string(output);
    importer_.define(name, importer_.append(name_ + suffix, name, op, std::move(inputs)));
  }
  ValueId step(const char* suffix, const Op& op, std::vector<ValueId> inputs) override {
    if (!has_output(0)) fail("has no output");
    return importer_.append(name_ + suffix, proto_.output(0) + suffix, op, std::move(inputs));
  }
  void alias(ValueId value, size_t output) override {
    if (!has_output(output)) fail("has no output");
    importer_.define(proto_.output(static_cast<int>(output)), value);
  }
  ValueId constant(const char* suffix, Tensor tensor) override {
    if (!has_output(0)) fail("has no output");
    return importer_.graph_.add_constant(proto_.output(0) + suffix, std::move(tensor));
  }

 private:
  const std::string& input_name(size_t i) const { return proto_.input(static_cast<int>(i)); }

  const onnx::AttributeProto* find(const char* name, onnx::AttributeProto::AttributeType type) {
    read_.insert(name);
    for (const onnx::AttributeProto& attribute : proto_.attribute()) {
      if (attribute.name() != name) continue;
      if (attribute.type() != type) fail("its attribute {} has the wrong type", name);
      return &attribute;
    }
    return nullptr;
  }

  Importer& importer_;
  const onnx::NodeProto& proto_;
  std::string name_;
  std::set<std::string> read_;
};

void Importer::add_constant(const onnx::NodeProto& node) {
  if (node.output_size() != 1) fail("has not one output");
  for (const onnx::AttributeProto& a : node.attribute()) {
    if (a.name() == "value" && a.has_t()) return define(node.output(0), a.t());
    if (a.name() == "value_float") return define(node.output(0), Numbers{{}, {a.f()}, true});
    if (a.name() == "value_int") {
      return define(node.output(0), Numbers{{}, {static_cast<double>(a.i())}, false});
    }
    if (a.name() == "value_floats") {
      return define(node.output(0),
                    Numbers{{a.floats_size()}, {a.floats().begin(), a.floats().end()}, true});
    }
    if (a.name() == "value_ints") {
      return define(node.output(0),
                    Numbers{{a.ints_size()}, {a.ints().begin(), a.ints().end()}, false});
    }
  }
  fail("holds no tensor");
}

// Arithmetic on sizes: where nothing but constants, one of them whole numbers, meets.
bool Importer::fold(const onnx::NodeProto& node) {
  const std::string& type = node.op_type();
  if (!can_fold(type) || node.output_size() != 1) return false;
  bool sizes = type == "Shape" || type == "Size" || type == "ConstantOfShape";
  for (const std::string& input : node.input()) {
    const auto* proto = tensor(input);
    sizes = sizes || numbers_.contains(input) || (proto != nullptr && !is_float(*proto));
  }
  if (!sizes) return false;
  const auto name = [&](int i) -> const std::string& { return node.input(i); };
  const FoldContext context{node,
                            [&](int i) -> std::optional<Numbers> {
                              // Weights that are reshaped need not be read to see that they are.
                              const auto* proto = tensor(name(i));
                              const size_t bytes = proto == nullptr ? 0 : proto->raw_data().size();
                              if (bytes > kMaxNumbers * sizeof(double)) return std::nullopt;
                              return numbers(name(i));
                            },
                            [&](int i) -> std::optional<Shape> {
                              const auto known = ids_.find(name(i));
                              if (known != ids_.end()) return graph_.value(known->second).shape;
                              const auto found = numbers(name(i));
                              return found ? std::optional(found->shape) : std::nullopt;
                            }};
  std::optional<Numbers> folded = fold_numbers(context);
  if (!folded) return false;
  define(node.output(0), std::move(*folded));
  return true;
}

// Arithmetic broadcasts by itself: what is expanded for it stays as it is.
void Importer::expand(Node& node, const std::string& output) {
  const Shape x = node.shape(0);
  const std::vector<double> wanted = node.numbers(1);
  Shape shape = x;
  if (shape.size() < wanted.size()) shape.insert(shape.begin(), wanted.size() - shape.size(), 1);
  for (size_t i = 0; i < wanted.size(); ++i) {
    int64_t& size = shape[shape.size() - wanted.size() + i];
    const bool batch = std::isnan(wanted[i]);
    const int64_t to = batch ? kBatch : static_cast<int64_t>(std::clamp(wanted[i], 0.0, 1e9));
    if (size == 1) size = to;
    const bool same = size == to || (size == kBatch && node.is_batch_size(to));
    if (!same && to != 1) fail("its input of shape {} does not fit", x);
  }
  if (shape != x) expanded_[output] = shape;
  node.alias(node.value(0), 0);
}

void Importer::check_expanded(const onnx::NodeProto& node) const {
  for (const std::string& input : node.input()) {
    const auto found = expanded_.find(input);
    if (found == expanded_.end()) continue;
    const Shape& wide = found->second;
    const ValueId output = ids_.at(node.output(0));
    const Shape& y = graph_.value(output).shape;
    bool fits = !graph_.nodes.empty() && graph_.nodes.back().output == output &&
                std::holds_alternative<Binary>(graph_.nodes.back().op) && y.size() >= wide.size();
    for (size_t i = 0; fits && i < wide.size(); ++i) {
      fits = wide[i] == 1 || wide[i] == y[y.size() - wide.size() + i];
    }
    if (!fits)
      fail("its input \"{}\" is expanded to {}, which it would not be by itself", input, wide);
  }
}

void Importer::add(const onnx::NodeProto& node) {
  const std::string& op = node.op_type();
  if (!node.domain().empty() && node.domain() != "ai.onnx") {
    fail("is of the domain {}, which is not supported", node.domain());
  }
  if (op == "Constant") return add_constant(node);
  if (moves_channels(node) && channels_last_.contains(node.input(0))) {
    return define(node.output(0), value(node.input(0)));
  }
  if (fold(node)) return;
  Node reader(*this, node);
  if (passes_through(op)) {
    if (op == "Cast") {
      if (!is_float(static_cast<int>(reader.integer("to", 0))))
        fail("to another type than floating-point numbers is not supported");
    }
    if (op == "Dropout") {
      const bool trains = reader.has_input(2) && reader.numbers(2).at(0) != 0;
      if (trains || reader.has_output(1)) fail("is in training mode, which is not supported");
    }
    if (const auto found = expanded_.find(node.input(0)); found != expanded_.end()) {
      expanded_[node.output(0)] = found->second;
    }
    return reader.alias(reader.value(0), 0);
  }
  if (op == "Expand") return expand(reader, node.output(0));
  const auto rule = rules().find(op);
  if (rule == rules().end()) {
    fail("is not supported; these are: {}", fmt::join(onnx_operators(), ", "));
  }
  rule->second(reader);
  reader.check_all_read();
  check_expanded(node);
}

Graph import_model(const onnx::ModelProto& model, const Shape& input) {
  try {
    return Importer(model, Importer::Batch::any, input).run(model);
  } catch (const Error&) {
    // Models that work along the first axis are none that batches of any size can be given to.
    try {
      return Importer(model, Importer::Batch::fixed, input).run(model);
    } catch (const Error&) {
    }
    throw;
  }
}

}  // namespace

std::vector<std::string> onnx_operators() {
  std::set<std::string> names = {"Cast",   "Constant", "ConstantOfShape", "Dropout", "Expand",
                                 "Gather", "Identity", "Shape",           "Size"};
  for (const auto& [name, read] : rules()) names.insert(name);
  return {names.begin(), names.end()};
}

namespace {

onnx::ModelProto parse(std::string_view bytes, const std::string& where) {
  onnx::ModelProto model;
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
      !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph()) {
    fail("{} is not an ONNX model", where);
  }
  for (const onnx::OperatorSetIdProto& opset : model.opset_import()) {
    if (opset.domain().empty() && (opset.version() < 1 || opset.version() > 22)) {
      fail("{} uses opset {}; 1 to 22 are supported", where, opset.version());
    }
  }
  return model;
}

// What `work` returns; its errors begin with `where`.
template <typename F>
Graph named(const std::string& where, const F& work) {
  try {
    return work();
  } catch (const Error& error) {
    fail("{}: {}", where, error.what());
  }
}

}  // namespace

Graph import_onnx(std::string_view bytes, const std::string& where, const Shape& input) {
  const onnx::ModelProto model = parse(bytes, where);
  return named(where, [&] { return import_model(model, input); });
}

Graph load_onnx(const std::filesystem::path& path, const Shape& input) {
  // Not held beside the graph: the file's bytes.
  onnx::ModelProto model = parse(read_file(path), path.string());
  return named(path.string(), [&] {
    read_external_data(model, path.parent_path());
    return import_model(model, input);
  });
}

}  // namespace nestling
