// Axis i of the output is axis numbers[i] of the input.
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (in.size() != 1 || in[0].size() != out.size() || node.numbers.size() != out.size()) {
    return "a transpose does not fit";
  }
  std::vector<bool> met(out.size());
  for (size_t i = 0; i < out.size(); ++i) {
    const auto axis = static_cast<uint64_t>(node.numbers[i]);
    if (axis >= out.size() || met[axis] || in[0][axis] != out[i]) return "a transpose does not fit";
    met[axis] = true;
  }
  return nullptr;
}

bool moves(const Step& step, const Moves& moves) {
  View from(step.inputs[0].data);
  for (const int64_t axis : step.node->numbers) {
    const auto i = static_cast<size_t>(axis);
    from.add(step.inputs[0].shape[i], static_cast<std::ptrdiff_t>(step.inputs[0].strides[i]));
  }
  moves.add(from, View(step.y));
  return true;
}

}  // namespace

extern const Operator op_transpose = {"transpose", Weights::none, check, run_moves, {}, moves};

}  // namespace nestling::runtime
