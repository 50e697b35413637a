#include "graph/ops/binary.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {
namespace {

using F = Binary::Function;

constexpr std::pair<const char*, F> kNames[] = {
    {"Add", F::add}, {"Sub", F::sub}, {"Mul", F::mul}, {"Div", F::div},     {"Max", F::max},
    {"Min", F::min}, {"Pow", F::pow}, {"Sum", F::add}, {"PRelu", F::prelu},
};

F function_of(const OnnxNode& node) {
  return std::find_if(std::begin(kNames), std::end(kNames),
                      [&](const auto& pair) { return node.op_type() == pair.first; })
      ->second;
}

// Opset 6 and earlier: the second input's axes lie from `axis` on along those of the first.
ValueId aligned(OnnxNode& node) {
  const auto axis = node.integer("axis", -1);
  if (node.integer("broadcast", 0) == 0 || axis < 0) return node.value(1);
  Shape shape = node.shape(1);
  const auto rank = static_cast<int64_t>(node.shape(0).size());
  if (axis > rank || static_cast<int64_t>(shape.size()) > rank - axis) {
    fail("its axis {} is out of range", axis);
  }
  const auto behind = rank - axis - static_cast<int64_t>(shape.size());
  if (behind == 0) return node.value(1);
  shape.resize(shape.size() + static_cast<size_t>(behind), 1);
  return node.step(".aligned", Reshape{shape}, {node.value(1)});
}

void read(OnnxNode& node) {
  if (node.inputs() != 2) fail("needs two inputs");
  node.ignore("consumed_inputs");  // of opset 1
  const ValueId right = aligned(node);
  node.append(Binary{function_of(node)}, {node.value(0), right});
}

// Any number of inputs: one after the other.
void read_several(OnnxNode& node) {
  if (node.inputs() < 1) fail("has no input");
  node.ignore("consumed_inputs");
  const std::vector<ValueId> values = node.values();
  ValueId sum = values[0];
  for (size_t i = 1; i + 1 < values.size(); ++i) {
    const std::string suffix = "." + std::to_string(i);
    sum = node.step(suffix.c_str(), Binary{function_of(node)}, {sum, values[i]});
  }
  if (values.size() == 1) {
    node.alias(sum);
  } else {
    node.append(Binary{function_of(node)}, {sum, values.back()});
  }
}

// The slope of opset 6 has one axis, that of the channels; later ones are broadcast.
void read_prelu(OnnxNode& node) {
  if (node.inputs() != 2) fail("needs two inputs");
  ValueId slope = node.value(1);
  const Shape &x = node.shape(0), &s = node.shape(1);
  if (node.opset() < 7 && s.size() == 1 && s[0] > 1 && x.size() > 2) {
    Shape along(x.size() - 1, 1);
    along[0] = s[0];
    slope = node.step(".aligned", Reshape{along}, {slope});
  }
  node.append(Binary{F::prelu}, {node.value(0), slope});
}

}  // namespace

float Binary::operator()(float a, float b) const {
  switch (function) {
    case F::add:
      return a + b;
    case F::sub:
      return a - b;
    case F::mul:
      return a * b;
    case F::div:
      return a / b;
    case F::max:
      return std::max(a, b);
    case F::min:
      return std::min(a, b);
    case F::pow:
      return std::pow(a, b);
    case F::prelu:
      return a < 0 ? a * b : a;
  }
  return a;
}

const char* Binary::name() const {
  return std::find_if(std::begin(kNames), std::end(kNames),
                      [&](const auto& pair) { return pair.second == function; })
      ->first;
}

Shape Binary::shape(const Inputs& in) const {
  in.expect(2, 2);
  return broadcast(in, in.shape(0), in.shape(1));
}

void Binary::tie(Ties& ties) const {
  const Shape& y = ties.out_shape();
  for (size_t i = 0; i < 2; ++i) {
    const Shape& x = ties.in_shape(i);
    const size_t offset = y.size() - x.size();
    for (size_t axis = 0; axis < x.size(); ++axis) {
      if (x[axis] == y[offset + axis]) {
        ties.join(ties.out(offset + axis), ties.in(i, axis));
      } else {
        ties.pin(ties.in(i, axis));  // one element that meets all
      }
    }
  }
}

void Binary::write(OnnxWriter&) const {}

std::vector<OnnxRule> Binary::onnx() {
  return {{"Add", read},         {"Sub", read},         {"Mul", read},
          {"Div", read},         {"Pow", read},         {"Sum", read_several},
          {"Max", read_several}, {"Min", read_several}, {"PRelu", read_prelu}};
}

}  // namespace nestling
