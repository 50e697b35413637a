// Constants of ONNX files, checked. Includes ONNX's protobuf header: for sources only.
#pragma once

#include <onnx/onnx_pb.h>
#include <vector>

#include "graph/graph.h"

namespace nestling {

// Whether a TensorProto::DataType is one of floating-point numbers, of whatever size.
bool is_float(int data_type);
inline bool is_float(const onnx::TensorProto& proto) { return is_float(proto.data_type()); }

// A tensor of floating-point numbers (float16, bfloat16, float32, float64) as float32. Throws Error
// naming it if it is of another type, stored in another file, of a size that does not fit its
// shape, or holds a value that is not finite, or not as float32.
Tensor float_tensor(const onnx::TensorProto& proto);

// The shape and the numbers of a tensor of any number type or truth values, which need not be
// finite; otherwise under the same conditions. For the small ones: sizes, bounds, indices.
struct Numbers {
  Shape shape;
  std::vector<double> data;
  bool real = false;  // whether the type is one of floating-point numbers
};
Numbers number_tensor(const onnx::TensorProto& proto);

}  // namespace nestling
