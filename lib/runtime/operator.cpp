#include "runtime/operator.h"

#include "runtime/operators.h"  // made by the build: kOperators

namespace nestling::runtime {

const Operator* find_operator(const std::string& name) {
  for (const Operator* op : kOperators) {
    if (name == op->name) return op;
  }
  return nullptr;
}

const char* check_window(const NodeSpec& node, const Shape& in, const Shape& out) {
  if (in.size() != 4 || (out.size() != 4 && out.size() != 2)) return "a window needs images";
  if (in[0] != out[0]) return "a window changes the batch";
  for (size_t i = 0; i < 2; ++i) {
    const uint64_t size = in[i + 2], places = out.size() == 2 ? 1 : out[i + 2];
    const uint64_t k = node.kernel[i], s = node.stride[i], d = node.dilation[i];
    const uint64_t before = node.padding[i], after = node.padding[i + 2];
    if (k < 1 || s < 1 || d < 1 || k > kMaxExtent || s > kMaxExtent || d > kMaxExtent ||
        before > kMaxExtent || after > kMaxExtent) {
      return "a window is out of range";
    }
    // A window that starts inside may reach over the end (ceil_mode).
    const uint64_t span = d * (k - 1) + 1, padded = size + before + after;
    if (span > padded) return "a window does not fit";
    const uint64_t down = (padded - span) / s + 1, up = (padded - span + s - 1) / s + 1;
    if (places != down && (places != up || (up - 1) * s >= size + before)) {
      return "a window does not fit";
    }
  }
  return nullptr;
}

const char* check_same(const std::vector<Shape>& in, const Shape& out) {
  return in.size() == 1 && in[0] == out ? nullptr : "a node changes the shape";
}

bool try_moves(const Step& step, const ThreadPool& pool) {
  const auto move = [](void* context, const View& from, const View& to) {
    copy(from, to, *static_cast<const ThreadPool*>(context));
  };
  return step.op->moves(step, {move, const_cast<ThreadPool*>(&pool)});
}

}  // namespace nestling::runtime
