// The same elements, in the order of the axes, in another shape.
#include <algorithm>

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
  explicit Walk(const Tensor& t) : t_(t), index_(t.shape.size()), at_(t.data) {}
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
  std::vector<uint32_t> index_;
  float* at_;
};

// Whether a tensor's elements lie in the order of its axes.
bool in_order(const Tensor& t) {
  return t.shape.size() != 4 || t.shape[1] == 1 || (t.shape[2] == 1 && t.shape[3] == 1);
}

void run(const Step& step, const ThreadPool&) {
  const Tensor &x = step.inputs[0], &y = step.y;
  if (in_order(x) && in_order(y)) {
    std::copy_n(x.data, x.elements(), y.data);
    return;
  }
  Walk from(x), to(y);
  for (size_t i = 0; i < y.elements(); ++i) {
    *to.at() = *from.at();
    from.next();
    to.next();
  }
}

}  // namespace

extern const Operator op_reshape = {"reshape", Weights::none, check, run};

}  // namespace nestling::runtime
