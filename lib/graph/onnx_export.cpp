#include <algorithm>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include "base/error.h"
#include "graph/onnx.h"
#include "graph/onnx_writer.h"

namespace nestling {
namespace {

// Little-endian, as the format wants it and every supported machine has it.
template <typename T>
void add_initializer(onnx::GraphProto& graph, const std::string& name, int type, const Shape& shape,
                     const std::vector<T>& data) {
  onnx::TensorProto& proto = *graph.add_initializer();
  proto.set_name(name);
  proto.set_data_type(type);
  for (const int64_t dimension : shape) proto.add_dims(dimension);
  proto.set_raw_data(data.data(), data.size() * sizeof(T));
}

void add_initializer(onnx::GraphProto& graph, const std::string& name, const Tensor& tensor) {
  add_initializer(graph, name, onnx::TensorProto::FLOAT, tensor.shape, tensor.data);
}

class Writer final : public OnnxWriter {
 public:
  Writer(const Graph& graph, const Node& node, onnx::GraphProto& proto)
      : graph_(graph), node_(node), proto_(proto), present_(proto.add_node()) {
    present_->set_name(node.name);
    present_->set_op_type(op_name(node.op));
    for (const ValueId id : node.inputs) present_->add_input(graph.value(id).name);
    present_->add_output(graph.value(node.output).name);
  }

  int64_t opset() const { return opset_; }

  void op_type(const char* name) override { present_->set_op_type(name); }
  void integer(const char* name, int64_t value) override {
    attribute(name, onnx::AttributeProto::INT).set_i(value);
  }
  void real(const char* name, float value) override {
    attribute(name, onnx::AttributeProto::FLOAT).set_f(value);
  }
  void text(const char* name, const char* value) override {
    attribute(name, onnx::AttributeProto::STRING).set_s(value);
  }
  using OnnxWriter::integers;
  void integers(const char* name, const std::vector<int64_t>& values) override {
    onnx::AttributeProto& to = attribute(name, onnx::AttributeProto::INTS);
    for (const int64_t value : values) to.add_ints(value);
  }
  void input(const char* suffix, const Tensor& tensor) override {
    present_->add_input(node_.name + suffix);
    add_initializer(proto_, node_.name + suffix, tensor);
  }
  void input(const char* suffix, const std::vector<int64_t>& numbers) override {
    present_->add_input(node_.name + suffix);
    add_initializer(proto_, node_.name + suffix, onnx::TensorProto::INT64,
                    {static_cast<int64_t>(numbers.size())}, numbers);
  }
  void skip_input() override { present_->add_input(""); }
  void then(const char* op_type) override {
    const std::string last = present_->output(0);
    const std::string between = last + ".part" + std::to_string(++parts_);
    present_->set_output(0, between);
    present_ = proto_.add_node();
    present_->set_name(node_.name + ".part" + std::to_string(parts_));
    present_->set_op_type(op_type);
    present_->add_input(between);
    present_->add_output(last);
  }
  void original_input() override { present_->add_input(graph_.value(node_.inputs[0]).name); }
  void matmul_and_add() override {
    const std::string weight = present_->input(1);
    const std::string bias = present_->input_size() > 2 ? present_->input(2) : "";
    const std::string turned = node_.name + ".turned";
    onnx::NodeProto& transpose = *present_;
    transpose.set_op_type("Transpose");
    const std::string x = transpose.input(0), y = transpose.output(0);
    transpose.clear_input();
    transpose.add_input(weight);
    transpose.set_output(0, turned);
    present_ = proto_.add_node();
    present_->set_name(node_.name + ".product");
    present_->set_op_type("MatMul");
    present_->add_input(x);
    present_->add_input(turned);
    present_->add_output(y);
    if (bias.empty()) return;
    then("Add");
    present_->add_input(bias);
  }
  void needs_opset(int64_t version) override { opset_ = std::max(opset_, version); }
  const Shape& in_shape(size_t input) const override {
    return graph_.value(node_.inputs[input]).shape;
  }

 private:
  onnx::AttributeProto& attribute(const char* name, onnx::AttributeProto::AttributeType type) {
    onnx::AttributeProto& added = *present_->add_attribute();
    added.set_name(name);
    added.set_type(type);
    return added;
  }

  const Graph& graph_;
  const Node& node_;
  onnx::GraphProto& proto_;
  onnx::NodeProto* present_;
  int parts_ = 0;
  int64_t opset_ = 13;
};

void set_type(onnx::ValueInfoProto& info, const Value& value) {
  info.set_name(value.name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx::TensorProto::FLOAT);
  for (const int64_t dimension : value.shape) {
    auto& dim = *tensor.mutable_shape()->add_dim();
    if (dimension == kBatch) {
      dim.set_dim_param("N");
    } else {
      dim.set_dim_value(dimension);
    }
  }
}

}  // namespace

std::string export_onnx(const Graph& graph) {
  onnx::ModelProto model;
  model.set_producer_name("nestling");
  onnx::GraphProto& proto = *model.mutable_graph();
  proto.set_name(graph.name);
  for (const ValueId id : graph.inputs) set_type(*proto.add_input(), graph.value(id));
  for (const ValueId id : graph.outputs) {
    onnx::ValueInfoProto& output = *proto.add_output();
    set_type(output, graph.value(id));
    const NodeId from = producer(graph, id);
    if (from >= 0 && std::holds_alternative<ArgMax>(graph.nodes[static_cast<size_t>(from)].op)) {
      output.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::INT64);
    }
  }
  int64_t opset = 13;
  for (const Node& node : graph.nodes) {
    Writer writer(graph, node, proto);
    std::visit([&](const auto& op) { op.write(writer); }, node.op);
    opset = std::max(opset, writer.opset());
    // The graph's indices are floats, as everything is.
    const auto is_output = std::find(graph.outputs.begin(), graph.outputs.end(), node.output);
    if (std::holds_alternative<ArgMax>(node.op) && is_output == graph.outputs.end()) {
      writer.then("Cast");
      writer.integer("to", onnx::TensorProto::FLOAT);
    }
  }
  onnx::OperatorSetIdProto& version = *model.add_opset_import();
  version.set_domain("");
  version.set_version(opset);
  model.set_ir_version(opset == 13 ? 7 : 8);
  for (const Value& value : graph.values) {
    if (value.constant) add_initializer(proto, value.name, *value.constant);
  }
  for (const auto& [key, value] : graph.metadata) {
    onnx::StringStringEntryProto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  if (model.ByteSizeLong() > (size_t{1} << 31) - 1) {
    fail("{} is over 2 GB, more than an ONNX file can hold", graph.name);
  }
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    model.SerializeToCodedStream(&coded);
  }
  return bytes;
}

}  // namespace nestling
