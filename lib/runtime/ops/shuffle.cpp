// The channels [groups, C / groups] become [C / groups, groups]. numbers: {groups}.
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec& node, const std::vector<Shape>& in, const Shape& out) {
  const bool good = node.numbers.size() == 1 && node.numbers[0] >= 1 && out.size() == 4 &&
                    out[1] % static_cast<uint64_t>(node.numbers[0]) == 0;
  return good ? check_same(in, out) : "a channel shuffle does not fit";
}

bool moves(const Step& step, const Moves& moves) {
  const Tensor &x = step.inputs[0], &y = step.y;
  const auto groups = static_cast<size_t>(step.node->numbers[0]);
  const size_t each = x.shape[1] / groups;
  const auto view = [&](const Tensor& t, size_t channel, size_t group) {
    View v(t.data);
    v.add(t.shape[0], static_cast<std::ptrdiff_t>(t.strides[0]));
    v.add(t.shape[2], static_cast<std::ptrdiff_t>(t.strides[2]));
    v.add(t.shape[3], static_cast<std::ptrdiff_t>(t.strides[3]));
    v.add(each, static_cast<std::ptrdiff_t>(channel * t.strides[1]));
    v.add(groups, static_cast<std::ptrdiff_t>(group * t.strides[1]));
    return v;
  };
  moves.add(view(x, 1, each), view(y, groups, 1));
  return true;
}

}  // namespace

extern const Operator op_shuffle = {"shuffle", Weights::none, check, run_moves, {}, moves};

}  // namespace nestling::runtime
