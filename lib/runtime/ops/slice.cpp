// numbers: {start, step, parts} for every axis; a negative step goes backwards. Where the start
// depends on the capacity, `parts` of the inputs after the first, axis by axis, are what lies
// before it: only their sizes are read.
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

// Calls start(axis, first element, step) for every axis, until it returns false.
template <typename Size, typename Start>
bool for_each_axis(const NodeSpec& node, size_t rank, Size size_of_input, Start start) {
  size_t part = 1;
  for (size_t axis = 0; axis < rank; ++axis) {
    int64_t first = node.numbers[3 * axis];
    for (int64_t i = 0; i < node.numbers[3 * axis + 2]; ++i) first += size_of_input(part++, axis);
    if (!start(axis, first, node.numbers[3 * axis + 1])) return false;
  }
  return true;
}

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  constexpr const char* kProblem = "a slice does not fit";
  const size_t rank = out.size();
  if (node.numbers.size() != 3 * rank) return kProblem;
  for (const Shape& part : in) {
    if (part.size() != rank) return kProblem;
  }
  size_t parts = 0;
  constexpr int64_t kMax = int64_t{1} << 30;
  for (size_t axis = 0; axis < rank; ++axis) {
    const int64_t start = node.numbers[3 * axis], step = node.numbers[3 * axis + 1],
                  before = node.numbers[3 * axis + 2];
    if (start < 0 || start > kMax || step > kMax || step < -kMax) return kProblem;
    if (before < 0 || static_cast<uint64_t>(before) > in.size()) return kProblem;
    parts += static_cast<size_t>(before);
  }
  if (in.size() != 1 + parts) return kProblem;
  const bool fits = for_each_axis(
      node, rank, [&](size_t part, size_t axis) { return static_cast<int64_t>(in[part][axis]); },
      [&](size_t axis, int64_t first, int64_t step) {
        const auto size = static_cast<int64_t>(in[0][axis]);
        const int64_t last = first + (static_cast<int64_t>(out[axis]) - 1) * step;
        return first < size && last >= 0 && last < size;
      });
  return fits ? nullptr : kProblem;
}

std::optional<uint32_t> first_channel(const NodeSpec& node, const std::vector<Shape>& in,
                                      const Shape& out) {
  uint32_t channel = 0;
  const bool part = for_each_axis(
      node, out.size(), [&](size_t i, size_t axis) { return static_cast<int64_t>(in[i][axis]); },
      [&](size_t axis, int64_t first, int64_t step) {
        if (axis == 1) channel = static_cast<uint32_t>(first);
        return step == 1 && (axis == 1 || (first == 0 && out[axis] == in[0][axis]));
      });
  return part ? std::optional(channel) : std::nullopt;
}

bool moves(const Step& step, const Moves& moves) {
  const Tensor& x = step.inputs[0];
  View from(x.data);
  for_each_axis(
      *step.node, x.shape.size(),
      [&](size_t part, size_t axis) { return static_cast<int64_t>(step.inputs[part].shape[axis]); },
      [&](size_t axis, int64_t first, int64_t by) {
        from.data += static_cast<size_t>(first) * x.strides[axis];
        from.add(step.y.shape[axis], static_cast<std::ptrdiff_t>(x.strides[axis]) * by);
        return true;
      });
  if (from.data != step.y.data) moves.add(from, View(step.y));  // otherwise it stays where it is
  return true;
}

}  // namespace

extern const Operator op_slice = {
    "slice", Weights::none, check, run_moves, {.strided = true, .first_channel = first_channel},
    moves};

}  // namespace nestling::runtime
