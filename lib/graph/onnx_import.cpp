#include <algorithm>
#include <fmt/ranges.h>
#include <limits>
#include <map>
#include <set>

#include "base/file.h"
#include "graph/onnx.h"
#include "graph/onnx_tensor.h"
#include "graph/shapes.h"

namespace nestling {
namespace {

constexpr const char* kSupported =
    "Add, AveragePool, BatchNormalization, Clip, Concat, Conv, Dropout, Flatten, Gemm, "
    "GlobalAveragePool, Identity, MatMul, MaxPool, Relu, Reshape (to [N, features]), Softmax";

Tensor transposed(const Tensor& matrix) {
  const auto rows = static_cast<size_t>(matrix.shape[0]);
  const auto columns = static_cast<size_t>(matrix.shape[1]);
  Tensor result{{matrix.shape[1], matrix.shape[0]}, std::vector<float>(matrix.data.size())};
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) {
      result.data[j * rows + i] = matrix.data[i * columns + j];
    }
  }
  return result;
}

class Importer {
 public:
  explicit Importer(const onnx::ModelProto& model) : proto_(model.graph()) {
    for (const onnx::TensorProto& tensor : proto_.initializer()) {
      if (!constants_.emplace(tensor.name(), &tensor).second) {
        fail("the initializer \"{}\" is there twice", tensor.name());
      }
    }
    for (const onnx::NodeProto& node : proto_.node()) {
      for (const std::string& input : node.input()) ++uses_[input];
    }
    for (const onnx::ValueInfoProto& output : proto_.output()) ++uses_[output.name()];
  }

  Graph run(const onnx::ModelProto& model) {
    graph_.name = proto_.name();
    for (const onnx::StringStringEntryProto& entry : model.metadata_props()) {
      graph_.metadata[entry.key()] = entry.value();
    }
    for (const onnx::ValueInfoProto& input : proto_.input()) {
      if (!constants_.contains(input.name())) add_input(input);
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
    for (const onnx::ValueInfoProto& output : proto_.output()) {
      const ValueId id = value(output.name());
      if (graph_.value(id).constant) fail("its output \"{}\" is a constant", output.name());
      if (std::find(graph_.inputs.begin(), graph_.inputs.end(), id) == graph_.inputs.end()) {
        graph_.value(id).name = output.name();
      }
      graph_.outputs.push_back(id);
    }
    if (graph_.outputs.empty()) fail("it has no output");
    keep_capacities();
    return std::move(graph_);
  }

 private:
  static std::string describe(const onnx::NodeProto& node) {
    return fmt::format("node \"{}\" ({})",
                       node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name(),
                       node.op_type());
  }

  void add_input(const onnx::ValueInfoProto& input) {
    const auto& type = input.type().tensor_type();
    if (type.elem_type() != onnx::TensorProto::FLOAT) {
      fail("its input \"{}\" is not of type float32", input.name());
    }
    Shape shape;
    for (const auto& dimension : type.shape().dim()) {
      if (shape.empty()) {
        shape.push_back(kBatch);  // whatever the file says, a batch of any size can be run
      } else if (dimension.dim_value() > 0) {
        shape.push_back(dimension.dim_value());
      } else {
        fail("its input \"{}\" has a dimension of unknown size; export it with fixed sizes",
             input.name());
      }
    }
    if (shape.size() < 2) fail("its input \"{}\" is not a batch", input.name());
    element_count(shape);
    define(input.name(), graph_.add_value(input.name(), shape));
    graph_.inputs.push_back(ids_.at(input.name()));
  }

  // What is smaller than the graph: the tensors that single capacities of a nested model have for
  // themselves. No node uses them.
  void keep_capacities() {
    if (!graph_.metadata.contains("nestling.nesting")) return;
    for (const onnx::TensorProto& tensor : proto_.initializer()) {
      if (!ids_.contains(tensor.name()) && tensor.name().starts_with("capacity")) {
        value(tensor.name());
      }
    }
  }

  void define(const std::string& name, ValueId id) {
    if (!ids_.emplace(name, id).second) fail("defines \"{}\" again", name);
  }

  const onnx::TensorProto* constant(const std::string& name) const {
    const auto found = constants_.find(name);
    return found == constants_.end() ? nullptr : found->second;
  }

  // The id of an activation, or of a constant that is added to the graph at its first use.
  ValueId value(const std::string& name) {
    const auto found = ids_.find(name);
    if (found != ids_.end()) return found->second;
    const onnx::TensorProto* tensor = constant(name);
    if (tensor == nullptr) fail("uses \"{}\", which no earlier node produces", name);
    const ValueId id = graph_.add_constant(name, float_tensor(*tensor));
    define(name, id);
    return id;
  }

  void append(const onnx::NodeProto& node, const Op& op, std::vector<ValueId> inputs) {
    if (node.output_size() < 1) fail("has no output");
    const std::string& output = node.output(0);
    std::string name = node.name();
    if (name.empty() || !names_.insert(name).second) name = output;
    Node added{name, op, std::move(inputs), -1};
    Shape shape;
    try {
      shape = output_shape(graph_, added);
    } catch (const Error& error) {
      // The sentence begins with the node, as ours does.
      const std::string text = error.what();
      fail("{}", text.substr(text.find("): ") + 3));
    }
    added.output = graph_.add_value(output, std::move(shape));
    define(output, added.output);
    graph_.nodes.push_back(std::move(added));
  }

  std::vector<ValueId> inputs_of(const onnx::NodeProto& node) {
    std::vector<ValueId> inputs;
    for (const std::string& name : node.input()) {
      if (!name.empty()) inputs.push_back(value(name));
    }
    return inputs;
  }

  void add(const onnx::NodeProto& node);
  ValueId transposed_weight(const std::string& name);
  void add_gemm(const onnx::NodeProto& node, OnnxAttributes& attributes);
  void add_matmul(const onnx::NodeProto& node);
  void add_sum(const onnx::NodeProto& node);
  void add_clip(const onnx::NodeProto& node, OnnxAttributes& attributes);
  void add_reshape(const onnx::NodeProto& node);
  Padding padding(const onnx::NodeProto& node, OnnxAttributes& attributes, const Extent& kernel,
                  const Extent& stride, const Extent& dilation);

  const onnx::GraphProto& proto_;
  Graph graph_;
  std::map<std::string, const onnx::TensorProto*> constants_;
  std::map<std::string, int> uses_;
  std::map<std::string, ValueId> ids_;
  std::set<std::string> names_;   // of nodes
  std::set<std::string> failed_;  // values whose nodes could not be imported
};

// The padding in numbers, also where the file says how to find it.
Padding Importer::padding(const onnx::NodeProto& node, OnnxAttributes& attributes,
                          const Extent& kernel, const Extent& stride, const Extent& dilation) {
  const Padding given = attributes.array<4>("pads", {});
  const std::string mode = attributes.text("auto_pad", "NOTSET");
  if (mode == "NOTSET") return given;
  if (mode == "VALID") return {};
  if (mode != "SAME_UPPER" && mode != "SAME_LOWER") fail("its auto_pad {} is not supported", mode);
  const Shape& x = graph_.value(value(node.input(0))).shape;
  if (x.size() != 4) fail("works on images only");
  Padding result{};
  for (size_t i = 0; i < 2; ++i) {
    if (stride[i] < 1 || kernel[i] < 1 || dilation[i] < 1) fail("its window is out of range");
    const int64_t size = x[i + 2];
    const int64_t needed = ((size + stride[i] - 1) / stride[i] - 1) * stride[i] +
                           (kernel[i] - 1) * dilation[i] + 1 - size;
    const int64_t total = std::max<int64_t>(needed, 0);
    result[i] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
    result[i + 2] = total - result[i];
  }
  return result;
}

// The matrix `name`, stored [in, out] in the file, as [out, in].
ValueId Importer::transposed_weight(const std::string& name) {
  const auto found = ids_.find(name + ".transposed");
  if (found != ids_.end()) return found->second;
  const onnx::TensorProto* tensor = constant(name);
  if (tensor == nullptr || tensor->dims_size() != 2) fail("needs a constant matrix on the right");
  const ValueId id = graph_.add_constant(name + ".transposed", transposed(float_tensor(*tensor)));
  define(name + ".transposed", id);
  return id;
}

void Importer::add_gemm(const onnx::NodeProto& node, OnnxAttributes& attributes) {
  if (attributes.real("alpha", 1) != 1 || attributes.real("beta", 1) != 1 ||
      attributes.integer("transA", 0) != 0) {
    fail("has alpha, beta or transA, which are not supported");
  }
  if (node.input_size() < 2) fail("has too few inputs");
  const bool stored_out_in = attributes.integer("transB", 0) != 0;
  std::vector<ValueId> inputs = {value(node.input(0)), stored_out_in
                                                           ? value(node.input(1))
                                                           : transposed_weight(node.input(1))};
  if (node.input_size() > 2 && !node.input(2).empty()) {
    inputs.push_back(value(node.input(2)));
    Value& bias = graph_.value(inputs[2]);
    if (bias.constant && !bias.shape.empty() && element_count(bias.shape) == bias.shape.back()) {
      bias.shape = bias.constant->shape = {bias.shape.back()};  // [1, M] is as good as [M]
    }
  }
  append(node, Gemm{}, std::move(inputs));
}

void Importer::add_matmul(const onnx::NodeProto& node) {
  if (node.input_size() != 2) fail("needs two inputs");
  append(node, Gemm{}, {value(node.input(0)), transposed_weight(node.input(1))});
}

// A sum of two activations, or the bias of the MatMul before it.
void Importer::add_sum(const onnx::NodeProto& node) {
  std::vector<ValueId> inputs = inputs_of(node);
  if (inputs.size() != 2) fail("needs two inputs");
  if (graph_.value(inputs[0]).constant) std::swap(inputs[0], inputs[1]);
  if (!graph_.value(inputs[1]).constant) {
    append(node, Add{}, std::move(inputs));
    return;
  }
  const NodeId before = producer(graph_, inputs[0]);
  const std::string& sum = graph_.value(inputs[0]).name;
  if (before < 0 || uses_[sum] != 1) fail("adds a constant, which is supported after MatMul only");
  Node& gemm = graph_.nodes[static_cast<size_t>(before)];
  Value& bias = graph_.value(inputs[1]);
  const int64_t filters = graph_.value(gemm.output).shape[1];
  if (!std::holds_alternative<Gemm>(gemm.op) || gemm.inputs.size() != 2 || bias.shape.empty() ||
      bias.shape.back() != filters || element_count(bias.shape) != filters) {
    fail("adds a constant, which is supported after MatMul only");
  }
  bias.shape = bias.constant->shape = {filters};
  gemm.inputs.push_back(inputs[1]);
  define(node.output(0), gemm.output);
}

void Importer::add_clip(const onnx::NodeProto& node, OnnxAttributes& attributes) {
  Clip clip{attributes.real("min", std::numeric_limits<float>::lowest()),
            attributes.real("max", std::numeric_limits<float>::max())};
  float* const bounds[] = {&clip.min, &clip.max};
  for (int i = 1; i < std::min(node.input_size(), 3); ++i) {
    if (node.input(i).empty()) continue;
    const onnx::TensorProto* tensor = constant(node.input(i));
    if (tensor == nullptr) fail("needs constant bounds");
    const Tensor bound = float_tensor(*tensor);
    if (bound.data.size() != 1) fail("needs bounds that are single numbers");
    *bounds[i - 1] = bound.data[0];
  }
  append(node, clip, {value(node.input(0))});
}

void Importer::add_reshape(const onnx::NodeProto& node) {
  const onnx::TensorProto* target = node.input_size() == 2 ? constant(node.input(1)) : nullptr;
  if (target == nullptr) fail("needs a constant shape");
  const std::vector<int64_t> shape = int_tensor(*target);
  const ValueId input = value(node.input(0));
  const Shape& from = graph_.value(input).shape;
  if (from.empty()) fail("of a single number is not supported");
  const int64_t features = element_count(Shape(from.begin() + 1, from.end()));
  if (shape.size() != 2 || (shape[1] != -1 && shape[1] != features)) {
    fail("to another shape than [N, features] is not supported");
  }
  append(node, Flatten{}, {input});
}

void Importer::add(const onnx::NodeProto& node) {
  const std::string& op = node.op_type();
  OnnxAttributes attributes(node);
  if (!node.domain().empty()) fail("is of the domain {}, which is not supported", node.domain());
  if (op == "Constant") {
    const onnx::TensorProto* tensor = attributes.tensor("value");
    if (tensor == nullptr || node.output_size() != 1) fail("holds no tensor");
    if (!constants_.emplace(node.output(0), tensor).second || ids_.contains(node.output(0))) {
      fail("defines \"{}\" again", node.output(0));
    }
    return;
  }
  if (node.input_size() < 1 || node.input(0).empty()) fail("has no input");
  if (op == "Identity" || op == "Dropout") {
    if (node.output_size() < 1) fail("has no output");
    if (const onnx::TensorProto* tensor = constant(node.input(0))) {
      constants_[node.output(0)] = tensor;
    } else {
      define(node.output(0), value(node.input(0)));
    }
    return;
  }
  const auto window = [&](auto& to) {
    to.kernel = attributes.array<2>("kernel_shape", to.kernel);
    to.stride = attributes.array<2>("strides", {1, 1});
  };
  const auto pool = [&](auto& to) {
    window(to);
    to.padding = padding(node, attributes, to.kernel, to.stride, {1, 1});
    if (attributes.integer("ceil_mode", 0) != 0) fail("its ceil_mode is not supported");
    if (attributes.array<2>("dilations", {1, 1}) != Extent{1, 1}) {
      fail("its dilations are not supported");
    }
  };
  if (op == "Conv") {
    Conv conv;
    const std::vector<ValueId> inputs = inputs_of(node);
    if (inputs.size() < 2) fail("has too few inputs");
    const Shape& weight = graph_.value(inputs[1]).shape;
    if (weight.size() == 4) conv.kernel = {weight[2], weight[3]};
    window(conv);
    conv.dilation = attributes.array<2>("dilations", {1, 1});
    conv.groups = attributes.integer("group", 1);
    conv.padding = padding(node, attributes, conv.kernel, conv.stride, conv.dilation);
    append(node, conv, inputs);
  } else if (op == "BatchNormalization") {
    const float epsilon = attributes.real("epsilon", 1e-5F);
    attributes.ignore("momentum");  // for training
    if (attributes.integer("training_mode", 0) != 0 || attributes.integer("spatial", 1) != 1) {
      fail("is in training mode or not spatial, which is not supported");
    }
    append(node, BatchNorm{epsilon}, inputs_of(node));
  } else if (op == "MaxPool") {
    MaxPool max;
    pool(max);
    attributes.ignore("storage_order");  // of a second output that is not supported
    if (node.output_size() > 1) fail("has a second output, which is not supported");
    append(node, max, inputs_of(node));
  } else if (op == "AveragePool") {
    AveragePool average;
    pool(average);
    average.count_padding = attributes.integer("count_include_pad", 0) != 0;
    append(node, average, inputs_of(node));
  } else if (op == "GlobalAveragePool") {
    append(node, GlobalAveragePool{}, inputs_of(node));
  } else if (op == "Relu") {
    append(node, Relu{}, inputs_of(node));
  } else if (op == "Clip") {
    add_clip(node, attributes);
  } else if (op == "Add") {
    add_sum(node);
  } else if (op == "Concat") {
    const int64_t axis = attributes.integer("axis", 1);
    const auto inputs = inputs_of(node);
    const auto rank = static_cast<int64_t>(graph_.value(inputs[0]).shape.size());
    if (axis != 1 && axis + rank != 1) fail("joins along axis {}; only channels can", axis);
    append(node, Concat{}, inputs);
  } else if (op == "Flatten") {
    if (attributes.integer("axis", 1) != 1) fail("with an axis other than 1 is not supported");
    append(node, Flatten{}, inputs_of(node));
  } else if (op == "Softmax") {
    const int64_t axis = attributes.integer("axis", 1);
    if (axis != 1 && axis != -1) fail("along axis {} is not supported", axis);
    append(node, Softmax{}, inputs_of(node));
  } else if (op == "Reshape") {
    attributes.ignore("allowzero");  // a shape that fits has no zero features
    add_reshape(node);
  } else if (op == "Gemm") {
    add_gemm(node, attributes);
  } else if (op == "MatMul") {
    add_matmul(node);
  } else {
    fail("is not supported; these are: {}", kSupported);
  }
  attributes.check_all_read();
}

}  // namespace

Graph import_onnx(std::string_view bytes, const std::string& where) {
  onnx::ModelProto model;
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
      !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph()) {
    fail("{} is not an ONNX model", where);
  }
  for (const onnx::OperatorSetIdProto& opset : model.opset_import()) {
    if (opset.domain().empty() && (opset.version() < 7 || opset.version() > 22)) {
      fail("{} uses opset {}; 7 to 22 are supported", where, opset.version());
    }
  }
  try {
    return Importer(model).run(model);
  } catch (const Error& error) {
    fail("{}: {}", where, error.what());
  }
}

Graph load_onnx(const std::filesystem::path& path) {
  return import_onnx(read_file(path), path.string());
}

}  // namespace nestling
