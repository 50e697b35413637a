// One node of an ONNX file that is being written: what an operator's rule may set.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace nestling {

class OnnxWriter {
 public:
  virtual ~OnnxWriter() = default;

  // The graph's node has its name, op type, inputs and output already.
  virtual void op_type(const char* name) = 0;
  virtual void integer(const char* name, int64_t value) = 0;
  virtual void real(const char* name, float value) = 0;
  virtual void text(const char* name, const char* value) = 0;
  virtual void integers(const char* name, const std::vector<int64_t>& values) = 0;
  template <size_t N>
  void integers(const char* name, const std::array<int64_t, N>& values) {
    integers(name, std::vector<int64_t>(values.begin(), values.end()));
  }

  // Further inputs, stored as initializers named after the node.
  virtual void input(const char* suffix, const Tensor& tensor) = 0;
  virtual void input(const char* suffix, const std::vector<int64_t>& numbers) = 0;
  virtual void skip_input() = 0;

  // What is set from now on belongs to another node, of type `op_type`, whose input 0 is the output
  // of the one so far; the last one's output is that of the graph's node.
  virtual void then(const char* op_type) = 0;
  // The graph's node's input 0 is a further input of such a later node.
  virtual void original_input() = 0;
  // MatMul by the transpose of input 1, plus input 2 if there is one.
  virtual void matmul_and_add() = 0;
  // The operator is not in opset 13, which files have otherwise.
  virtual void needs_opset(int64_t version) = 0;

  virtual const Shape& in_shape(size_t input) const = 0;
};

}  // namespace nestling
