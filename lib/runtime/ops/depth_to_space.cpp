// [N, C b^2, H, W] -> [N, C, H b, W b]. numbers: {b, 1 if channels are [C, b, b] and not [b, b,
// C]}.
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  if (in.size() != 1 || in[0].size() != 4 || out.size() != 4 || node.numbers.size() != 2 ||
      node.numbers[0] < 1 || node.numbers[0] > 1024) {
    return "a depth to space does not fit";
  }
  const Shape& x = in[0];
  const auto b = static_cast<uint64_t>(node.numbers[0]);
  const bool good =
      x[0] == out[0] && x[1] == out[1] * b * b && x[2] * b == out[2] && x[3] * b == out[3];
  return good ? nullptr : "a depth to space does not fit";
}

// Both seen as [N, C, H, b, W, b].
bool moves(const Step& step, const Moves& moves) {
  const Tensor &x = step.inputs[0], &y = step.y;
  const auto b = static_cast<size_t>(step.node->numbers[0]);
  const size_t channels = y.shape[1];
  const bool channels_first = step.node->numbers[1] != 0;
  const auto s = [&](size_t axis) { return static_cast<std::ptrdiff_t>(x.strides[axis]); };
  const auto t = [&](size_t axis) { return static_cast<std::ptrdiff_t>(y.strides[axis]); };
  const auto wide = static_cast<std::ptrdiff_t>(b), many = static_cast<std::ptrdiff_t>(channels);
  View from(x.data), to(y.data);
  from.add(x.shape[0], s(0))
      .add(channels, channels_first ? wide * wide * s(1) : s(1))
      .add(x.shape[2], s(2))
      .add(b, channels_first ? wide * s(1) : wide * many * s(1))
      .add(x.shape[3], s(3))
      .add(b, channels_first ? s(1) : many * s(1));
  to.add(x.shape[0], t(0)).add(channels, t(1)).add(x.shape[2], wide * t(2)).add(b, t(2));
  to.add(x.shape[3], wide * t(3)).add(b, t(3));
  moves.add(from, to);
  return true;
}

}  // namespace

extern const Operator op_depth_to_space = {
    "depth_to_space", Weights::none, check, run_moves, {}, moves};

}  // namespace nestling::runtime
