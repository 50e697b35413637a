// numbers: {axis}.
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (node.numbers.size() != 1) return "a concatenation lacks its axis";
  const auto axis = static_cast<uint64_t>(node.numbers[0]);
  uint64_t sum = 0;
  for (Shape part : in) {
    if (part.size() != out.size() || axis >= part.size()) return "a concatenation does not fit";
    sum += part[axis];
    part[axis] = out[axis];
    if (part != out) return "a concatenation does not fit";
  }
  return sum == out[axis] ? nullptr : "a concatenation does not fit";
}

bool moves(const Step& step, const Moves& moves) {
  const auto axis = static_cast<size_t>(step.node->numbers[0]);
  View to(step.y);
  for (const Tensor& part : step.inputs) {
    to.sizes[axis] = part.shape[axis];
    if (part.data != to.data) moves.add(View(part), to);  // otherwise it was computed there
    to.data += part.shape[axis] * step.y.strides[axis];
  }
  return true;
}

}  // namespace

extern const Operator op_concat = {
    "concat", Weights::none, check, run_moves, {.by_channel = true, .strided = true}, moves};

}  // namespace nestling::runtime
