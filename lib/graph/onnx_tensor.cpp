#include "graph/onnx_tensor.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/float16.h"

namespace nestling {
namespace {

using Proto = onnx::TensorProto;

float from_bfloat(uint16_t bits) {
  const uint32_t wide = uint32_t{bits} << 16;
  float value = 0;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

// The shape of `proto`, whose elements take `element_bytes` in the raw form and are `typed`
// many in the typed one.
Shape checked_shape(const Proto& proto, size_t element_bytes, int typed) {
  if (proto.data_location() == Proto::EXTERNAL) {
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

// Reads elements of type Raw from the raw form, or from the repeated field that holds this type.
template <typename Raw, typename To, typename Field, typename Convert>
Shape read(const Proto& proto, const Field& field, std::vector<To>& data, const Convert& convert) {
  Shape shape = checked_shape(proto, sizeof(Raw), field.size());
  const auto count = static_cast<size_t>(element_count(shape));
  data.resize(count);
  for (size_t i = 0; i < count; ++i) {
    Raw raw{};
    if (proto.has_raw_data()) {
      std::memcpy(&raw, proto.raw_data().data() + i * sizeof(Raw), sizeof(Raw));
    } else {
      raw = static_cast<Raw>(field.Get(static_cast<int>(i)));
    }
    data[i] = static_cast<To>(convert(raw));
  }
  return shape;
}

template <typename To>
Shape read_floats(const Proto& proto, std::vector<To>& data) {
  const auto same = [](auto value) { return value; };
  switch (proto.data_type()) {
    case Proto::FLOAT:
      return read<float>(proto, proto.float_data(), data, same);
    case Proto::DOUBLE:
      return read<double>(proto, proto.double_data(), data, same);
    case Proto::FLOAT16:
      return read<uint16_t>(proto, proto.int32_data(), data, from_float16);
    case Proto::BFLOAT16:
      return read<uint16_t>(proto, proto.int32_data(), data, from_bfloat);
    default:
      fail("the tensor \"{}\" does not hold floating-point numbers", proto.name());
  }
}

}  // namespace

bool is_float(int data_type) {
  return data_type == Proto::FLOAT || data_type == Proto::DOUBLE || data_type == Proto::FLOAT16 ||
         data_type == Proto::BFLOAT16;
}

Tensor float_tensor(const Proto& proto) {
  Tensor tensor;
  tensor.shape = read_floats(proto, tensor.data);
  if (!std::all_of(tensor.data.begin(), tensor.data.end(),
                   [](float v) { return std::isfinite(v); })) {
    fail("the tensor \"{}\" holds a value that is not finite", proto.name());
  }
  return tensor;
}

Numbers number_tensor(const Proto& proto) {
  Numbers numbers;
  numbers.real = is_float(proto);
  const auto same = [](auto value) { return value; };
  switch (proto.data_type()) {
    case Proto::INT64:
      numbers.shape = read<int64_t>(proto, proto.int64_data(), numbers.data, same);
      break;
    case Proto::INT32:
      numbers.shape = read<int32_t>(proto, proto.int32_data(), numbers.data, same);
      break;
    case Proto::UINT64:
      numbers.shape = read<uint64_t>(proto, proto.uint64_data(), numbers.data, same);
      break;
    case Proto::UINT32:
      numbers.shape = read<uint32_t>(proto, proto.uint64_data(), numbers.data, same);
      break;
    case Proto::INT16:
      numbers.shape = read<int16_t>(proto, proto.int32_data(), numbers.data, same);
      break;
    case Proto::UINT16:
      numbers.shape = read<uint16_t>(proto, proto.int32_data(), numbers.data, same);
      break;
    case Proto::INT8:
      numbers.shape = read<int8_t>(proto, proto.int32_data(), numbers.data, same);
      break;
    case Proto::BOOL:
    case Proto::UINT8:
      numbers.shape = read<uint8_t>(proto, proto.int32_data(), numbers.data, same);
      break;
    default:
      numbers.shape = read_floats(proto, numbers.data);
  }
  return numbers;
}

}  // namespace nestling
