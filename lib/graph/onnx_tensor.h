// Constants and attributes of ONNX files, checked. Includes ONNX's protobuf header: for sources
// only.
#pragma once

#include <onnx/onnx_pb.h>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"

namespace nestling {

// A FLOAT tensor. Throws Error naming it if it is of another type, stored in another file, of a
// size that does not fit its shape, or holds a value that is not finite.
Tensor float_tensor(const onnx::TensorProto& proto);

// An INT64 tensor's numbers, under the same conditions.
std::vector<int64_t> int_tensor(const onnx::TensorProto& proto);

// The attributes of one node. A node whose attributes have not all been asked for is one that says
// more than we understand: `check_all_read` throws Error naming the first such attribute. Every
// reader throws Error if the attribute has another type.
class OnnxAttributes {
 public:
  explicit OnnxAttributes(const onnx::NodeProto& node) : node_(node) {}

  int64_t integer(const char* name, int64_t otherwise);
  float real(const char* name, float otherwise);
  std::string text(const char* name, const char* otherwise);
  std::vector<int64_t> integers(const char* name);    // empty if absent
  const onnx::TensorProto* tensor(const char* name);  // null if absent
  void ignore(const char* name) { read_.insert(name); }
  void check_all_read() const;

  // As many integers as the array holds, or `otherwise` if the attribute is absent.
  template <size_t N>
  std::array<int64_t, N> array(const char* name, const std::array<int64_t, N>& otherwise) {
    const std::vector<int64_t> found = integers(name);
    if (found.empty()) return otherwise;
    if (found.size() != N) fail("its attribute {} has {} numbers, not {}", name, found.size(), N);
    std::array<int64_t, N> result;
    std::copy(found.begin(), found.end(), result.begin());
    return result;
  }

 private:
  const onnx::AttributeProto* find(const char* name, onnx::AttributeProto::AttributeType type);

  const onnx::NodeProto& node_;
  std::set<std::string> read_;
};

}  // namespace nestling
