#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include "base/error.h"
#include "graph/onnx.h"

namespace nestling {
namespace {

void add_attribute(onnx::NodeProto& node, const char* name, int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

void add_attribute(onnx::NodeProto& node, const char* name, float value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::FLOAT);
  attribute.set_f(value);
}

template <size_t N>
void add_attribute(onnx::NodeProto& node, const char* name, const std::array<int64_t, N>& values) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const int64_t value : values) attribute.add_ints(value);
}

void add_initializer(onnx::GraphProto& graph, const std::string& name, const Tensor& tensor) {
  onnx::TensorProto& proto = *graph.add_initializer();
  proto.set_name(name);
  proto.set_data_type(onnx::TensorProto::FLOAT);
  for (const int64_t dimension : tensor.shape) proto.add_dims(dimension);
  // Little-endian, as the format wants it and every supported machine has it.
  proto.set_raw_data(tensor.data.data(), tensor.data.size() * sizeof(float));
}

// Sets the attributes of a node, and the inputs that are attributes in the Graph.
struct Attributes {
  onnx::NodeProto& node;
  onnx::GraphProto& graph;

  void operator()(const Conv& op) const {
    add_attribute(node, "kernel_shape", op.kernel);
    add_attribute(node, "strides", op.stride);
    add_attribute(node, "dilations", op.dilation);
    add_attribute(node, "pads", op.padding);
    add_attribute(node, "group", op.groups);
  }
  void operator()(const BatchNorm& op) const { add_attribute(node, "epsilon", op.epsilon); }
  void operator()(const Clip& op) const {
    for (const auto& [name, bound] : {std::pair{".min", op.min}, std::pair{".max", op.max}}) {
      node.add_input(node.name() + name);
      add_initializer(graph, node.name() + name, {{}, {bound}});
    }
  }
  template <typename Pool>
  void pool(const Pool& op) const {
    add_attribute(node, "kernel_shape", op.kernel);
    add_attribute(node, "strides", op.stride);
    add_attribute(node, "pads", op.padding);
  }
  void operator()(const MaxPool& op) const { pool(op); }
  void operator()(const AveragePool& op) const {
    pool(op);
    add_attribute(node, "count_include_pad", int64_t{op.count_padding});
  }
  void operator()(const Concat&) const { add_attribute(node, "axis", int64_t{1}); }
  void operator()(const Softmax&) const { add_attribute(node, "axis", int64_t{1}); }
  void operator()(const Gemm&) const { add_attribute(node, "transB", int64_t{1}); }
  void operator()(const Relu&) const {}
  void operator()(const Add&) const {}
  void operator()(const GlobalAveragePool&) const {}
  void operator()(const Flatten&) const {}
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
  model.set_ir_version(onnx::IR_VERSION_2020_5_8);  // 7, that of opset 13
  model.set_producer_name("nestling");
  onnx::OperatorSetIdProto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(13);
  onnx::GraphProto& proto = *model.mutable_graph();
  proto.set_name(graph.name);
  for (const ValueId id : graph.inputs) set_type(*proto.add_input(), graph.value(id));
  for (const ValueId id : graph.outputs) set_type(*proto.add_output(), graph.value(id));
  for (const Node& node : graph.nodes) {
    onnx::NodeProto& out = *proto.add_node();
    out.set_name(node.name);
    out.set_op_type(op_name(node.op));
    for (const ValueId id : node.inputs) out.add_input(graph.value(id).name);
    out.add_output(graph.value(node.output).name);
    std::visit(Attributes{out, proto}, node.op);
  }
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
