// The same elements, in the order of the axes, in another shape.
#include <algorithm>
#include <array>
#include <utility>

#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

const char* check(const NodeSpec&, const std::vector<Shape>& in, const Shape& out) {
  return in.size() == 1 && element_count(in[0]) == element_count(out) ? nullptr
                                                                      : "a reshape does not fit";
}

// Where the elements of a tensor lie, in the order of its axes.
class Walk {
 public:
  explicit Walk(const Tensor& t) : t_(t), at_(t.data) {}
  float*& at() { return at_; }
  void next() {
    for (size_t axis = t_.shape.size(); axis > 0; --axis) {
      at_ += t_.strides[axis - 1];
      if (++index_[axis - 1] < t_.shape[axis - 1]) return;
      at_ -= t_.strides[axis - 1] * t_.shape[axis - 1];
      index_[axis - 1] = 0;
    }
  }

 private:
  const Tensor& t_;
  std::array<uint32_t, kMaxRank> index_{};
  float* at_;
};

// Both tensors cut along axes that they have in common, if there are such.
bool moves(const Step& step, const Moves& moves) {
  // What is left of a tensor's axes, the last one first.
  struct Axes {
    const Tensor& t;
    size_t axis, size = 1, stride = 0;
    explicit Axes(const Tensor& tensor) : t(tensor), axis(tensor.shape.size()) {}
    size_t left() {
      for (; size == 1 && axis > 0; size = t.shape[axis]) stride = t.strides[--axis];
      return size;
    }
    std::ptrdiff_t take(size_t part) {
      size /= part;
      return static_cast<std::ptrdiff_t>(std::exchange(stride, stride * part));
    }
  };
  Axes x(step.inputs[0]), y(step.y);
  View from(x.t.data), to(y.t.data);
  while (x.left() > 1) {
    const auto [part, whole] = std::minmax({x.left(), y.left()});
    if (whole % part != 0) return false;
    from.add(part, x.take(part));
    to.add(part, y.take(part));
  }
  moves.add(from, to);
  return true;
}

void run(const Step& step, const ThreadPool& pool) {
  if (try_moves(step, pool)) return;
  Walk from(step.inputs[0]), to(step.y);
  for (size_t i = 0; i < step.y.elements(); ++i) {
    *to.at() = *from.at();
    from.next();
    to.next();
  }
}

}  // namespace

extern const Operator op_reshape = {"reshape", Weights::none, check, run, {}, moves};

}  // namespace nestling::runtime
