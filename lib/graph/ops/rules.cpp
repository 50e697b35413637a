#include "graph/ops/rules.h"

#include <algorithm>
#include <fmt/ranges.h>

#include "base/error.h"
#include "graph/graph.h"

namespace nestling {

size_t Inputs::count() const { return node_.inputs.size(); }
const Shape& Inputs::shape(size_t input) const { return graph_.value(node_.inputs[input]).shape; }
bool Inputs::is_constant(size_t input) const {
  return graph_.value(node_.inputs[input]).constant.has_value();
}

void Inputs::refuse(const std::string& what) const {
  fail("node \"{}\" ({}): {}", node_.name, op_name(node_.op), what);
}

void Inputs::expect(size_t least, size_t most) const {
  if (count() < least || count() > most) {
    refuse(fmt::format("has {} inputs, which is not supported", count()));
  }
}

const Shape& Inputs::expect_rank(size_t input, size_t rank) const {
  const Shape& x = shape(input);
  if (x.size() != rank) {
    refuse(fmt::format("input {} has shape {}; {} dimensions are expected", input, x, rank));
  }
  return x;
}

void Inputs::expect_constant(size_t input, const Shape& wanted) const {
  if (input >= count()) return;
  if (!is_constant(input)) refuse(fmt::format("input {} must be a constant", input));
  if (shape(input) != wanted) {
    refuse(fmt::format("input {} has shape {}; {} is expected", input, shape(input), wanted));
  }
}

size_t Inputs::axis(int64_t axis, size_t rank) const {
  const auto count = static_cast<int64_t>(rank);
  if (axis < -count || axis >= count) {
    refuse(fmt::format("there is no axis {} of {} dimensions", axis, rank));
  }
  return static_cast<size_t>(axis < 0 ? axis + count : axis);
}

void Inputs::not_the_batch(const Shape& shape, size_t axis) const {
  if (shape[axis] == kBatch) refuse("works along the batch, whose size is not fixed");
}

int64_t Inputs::window(int64_t size, int64_t kernel, int64_t stride, int64_t dilation,
                       int64_t before, int64_t after, bool ceil) const {
  constexpr int64_t kMax = 1 << 20;
  if (kernel < 1 || stride < 1 || dilation < 1 || before < 0 || after < 0 || kernel > kMax ||
      stride > kMax || dilation > kMax || before > kMax || after > kMax) {
    refuse("kernel, stride, dilation or padding is out of range");
  }
  const int64_t span = dilation * (kernel - 1) + 1;
  const int64_t padded = size + before + after;
  if (span > padded) refuse(fmt::format("a window of {} does not fit {}", span, padded));
  int64_t places = (padded - span + (ceil ? stride - 1 : 0)) / stride + 1;
  // A last window that would see nothing but the padding behind the input does not count.
  if (ceil && (places - 1) * stride >= size + before) --places;
  return places;
}

Shape broadcast(const Inputs& in, const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (const Shape* shape : {&a, &b}) {
    const size_t offset = result.size() - shape->size();
    for (size_t i = 0; i < shape->size(); ++i) {
      const int64_t size = (*shape)[i];
      int64_t& wide = result[offset + i];
      if (size == kBatch && offset + i != 0) in.refuse("broadcasts the batch to another axis");
      if (wide == 1) {
        wide = size;
      } else if (size != 1 && size != wide) {
        in.refuse(fmt::format("the shapes {} and {} do not fit each other", a, b));
      }
    }
  }
  return result;
}

}  // namespace nestling
