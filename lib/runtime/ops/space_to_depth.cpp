// [N, C, H b, W b] -> [N, b b C, H, W]. numbers: {b}.
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (in.size() != 1 || in[0].size() != 4 || out.size() != 4 || node.numbers.size() != 1 ||
      node.numbers[0] < 1 || node.numbers[0] > 1024) {
    return "a space to depth does not fit";
  }
  const Shape& x = in[0];
  const auto b = static_cast<uint64_t>(node.numbers[0]);
  const bool good =
      x[0] == out[0] && x[1] * b * b == out[1] && x[2] == out[2] * b && x[3] == out[3] * b;
  return good ? nullptr : "a space to depth does not fit";
}

// Both seen as [N, b, b, C, H, W].
bool moves(const Step& step, const Moves& moves) {
  const Tensor &x = step.inputs[0], &y = step.y;
  const auto b = static_cast<size_t>(step.node->numbers[0]);
  const auto s = [&](size_t axis) { return static_cast<std::ptrdiff_t>(x.strides[axis]); };
  const auto t = [&](size_t axis) { return static_cast<std::ptrdiff_t>(y.strides[axis]); };
  const auto wide = static_cast<std::ptrdiff_t>(b);
  const auto channels = static_cast<std::ptrdiff_t>(x.shape[1]);
  View from(x.data), to(y.data);
  from.add(x.shape[0], s(0)).add(b, s(2)).add(b, s(3)).add(x.shape[1], s(1));
  from.add(y.shape[2], wide * s(2)).add(y.shape[3], wide * s(3));
  to.add(x.shape[0], t(0)).add(b, wide * channels * t(1)).add(b, channels * t(1));
  to.add(x.shape[1], t(1)).add(y.shape[2], t(2)).add(y.shape[3], t(3));
  moves.add(from, to);
  return true;
}

}  // namespace

extern const Operator op_space_to_depth = {
    "space_to_depth", Weights::none, check, run_moves, {}, moves};

}  // namespace nestling::runtime
