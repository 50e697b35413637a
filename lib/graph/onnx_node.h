// One node of an ONNX file that is being imported: what an operator's rule may ask and do. Every
// function throws Error, without the node's name, if the file does not hold what is asked for.
#pragma once

#include <optional>
#include <string>

#include "graph/graph.h"

namespace nestling {

class OnnxNode {
 public:
  virtual ~OnnxNode() = default;

  // Attributes; what is absent is `otherwise`. One that is never asked for is refused in the end.
  virtual int64_t integer(const char* name, int64_t otherwise) = 0;
  virtual float real(const char* name, float otherwise) = 0;
  virtual std::string text(const char* name, const char* otherwise) = 0;
  virtual std::vector<int64_t> integers(const char* name) = 0;  // empty if absent
  virtual std::vector<float> reals(const char* name) = 0;       // empty if absent
  virtual void ignore(const char* name) = 0;

  // As many integers as the array holds.
  template <size_t N>
  std::array<int64_t, N> array(const char* name, const std::array<int64_t, N>& otherwise) {
    const std::vector<int64_t> found = integers(name);
    if (found.empty()) return otherwise;
    if (found.size() != N) wrong_length(name, found.size(), N);
    std::array<int64_t, N> result;
    for (size_t i = 0; i < N; ++i) result[i] = found[i];
    return result;
  }

  virtual int64_t opset() const = 0;
  // Whether a number is the size of the batch with which the file was exported.
  virtual bool is_batch_size(int64_t size) const = 0;
  virtual const std::string& op_type() const = 0;
  virtual size_t inputs() const = 0;
  virtual size_t outputs() const = 0;
  virtual bool has_input(size_t input) const = 0;
  virtual bool has_output(size_t output) const = 0;

  // An activation, or a constant that is added to the graph at its first use.
  virtual ValueId value(size_t input) = 0;
  virtual std::vector<ValueId> values() = 0;  // of all inputs that are there
  virtual Shape shape(size_t input) = 0;
  virtual bool is_constant(size_t input) = 0;
  // The numbers of a constant input, of any type. A size that depends on the batch is NaN.
  virtual std::vector<double> numbers(size_t input) = 0;
  // The same as integers; nothing may depend on the batch.
  std::vector<int64_t> whole_numbers(size_t input);
  // Integers that older files hold in an attribute and newer ones in an input; absent: none.
  std::optional<std::vector<int64_t>> integers(const char* attribute, size_t input);

  // Appends a node whose value is the output; a node of constants is computed at once.
  virtual void append(const Op& op, std::vector<ValueId> inputs, size_t output = 0) = 0;
  // Appends a node in between and returns its value; `suffix` makes its name.
  virtual ValueId step(const char* suffix, const Op& op, std::vector<ValueId> inputs) = 0;
  // The node's output is a value that is there already.
  virtual void alias(ValueId value, size_t output = 0) = 0;
  // A constant of the graph that the file does not hold.
  virtual ValueId constant(const char* suffix, Tensor tensor) = 0;

  // pads, or what auto_pad says for windows on a rank-4 input 0.
  Padding padding(const Extent& kernel, const Extent& stride, const Extent& dilation);

 private:
  [[noreturn]] static void wrong_length(const char* name, size_t found, size_t wanted);
};

}  // namespace nestling
