#include "graph/onnx_tensor.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace nestling {
namespace {

// The shape of `proto`, whose elements take `element_bytes` in the raw form and are `typed`
// many in the typed one.
Shape checked_shape(const onnx::TensorProto& proto, size_t element_bytes, int typed) {
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    fail("the tensor \"{}\" is stored in another file; save the model as one file", proto.name());
  }
  Shape shape(proto.dims().begin(), proto.dims().end());
  for (const int64_t dimension : shape) {
    if (dimension < 0) fail("the tensor \"{}\" has a negative dimension", proto.name());
  }
  const auto count = static_cast<uint64_t>(element_count(shape));
  const bool fits = proto.has_raw_data() ? proto.raw_data().size() == count * element_bytes
                                         : static_cast<uint64_t>(typed) == count;
  if (!fits) fail("the data of the tensor \"{}\" does not fit its shape", proto.name());
  return shape;
}

}  // namespace

Tensor float_tensor(const onnx::TensorProto& proto) {
  if (proto.data_type() != onnx::TensorProto::FLOAT) {
    fail("the tensor \"{}\" is not of type float32", proto.name());
  }
  Tensor tensor;
  tensor.shape = checked_shape(proto, sizeof(float), proto.float_data_size());
  if (proto.has_raw_data()) {
    tensor.data.resize(proto.raw_data().size() / sizeof(float));
    if (!tensor.data.empty()) {
      std::memcpy(tensor.data.data(), proto.raw_data().data(), proto.raw_data().size());
    }
  } else {
    tensor.data.assign(proto.float_data().begin(), proto.float_data().end());
  }
  if (!std::all_of(tensor.data.begin(), tensor.data.end(),
                   [](float v) { return std::isfinite(v); })) {
    fail("the tensor \"{}\" holds a value that is not finite", proto.name());
  }
  return tensor;
}

std::vector<int64_t> int_tensor(const onnx::TensorProto& proto) {
  if (proto.data_type() != onnx::TensorProto::INT64) {
    fail("the tensor \"{}\" is not of type int64", proto.name());
  }
  checked_shape(proto, sizeof(int64_t), proto.int64_data_size());
  if (!proto.has_raw_data()) return {proto.int64_data().begin(), proto.int64_data().end()};
  std::vector<int64_t> numbers(proto.raw_data().size() / sizeof(int64_t));
  if (!numbers.empty()) {
    std::memcpy(numbers.data(), proto.raw_data().data(), proto.raw_data().size());
  }
  return numbers;
}

const onnx::AttributeProto* OnnxAttributes::find(const char* name,
                                                 onnx::AttributeProto::AttributeType type) {
  read_.insert(name);
  for (const onnx::AttributeProto& attribute : node_.attribute()) {
    if (attribute.name() != name) continue;
    if (attribute.type() != type) fail("its attribute {} has the wrong type", name);
    return &attribute;
  }
  return nullptr;
}

int64_t OnnxAttributes::integer(const char* name, int64_t otherwise) {
  const auto* found = find(name, onnx::AttributeProto::INT);
  return found == nullptr ? otherwise : found->i();
}

float OnnxAttributes::real(const char* name, float otherwise) {
  const auto* found = find(name, onnx::AttributeProto::FLOAT);
  const float value = found == nullptr ? otherwise : found->f();
  if (!std::isfinite(value)) fail("its attribute {} is not finite", name);
  return value;
}

std::string OnnxAttributes::text(const char* name, const char* otherwise) {
  const auto* found = find(name, onnx::AttributeProto::STRING);
  return found == nullptr ? otherwise : found->s();
}

std::vector<int64_t> OnnxAttributes::integers(const char* name) {
  const auto* found = find(name, onnx::AttributeProto::INTS);
  if (found == nullptr) return {};
  return {found->ints().begin(), found->ints().end()};
}

const onnx::TensorProto* OnnxAttributes::tensor(const char* name) {
  const auto* found = find(name, onnx::AttributeProto::TENSOR);
  return found == nullptr ? nullptr : &found->t();
}

void OnnxAttributes::check_all_read() const {
  for (const onnx::AttributeProto& attribute : node_.attribute()) {
    if (!read_.contains(attribute.name())) {
      fail("its attribute {} is not supported", attribute.name());
    }
  }
}

}  // namespace nestling
