#include "graph/ties.h"

namespace nestling {

void Ties::join(Axis a, Axis b) const {
  const int64_t size = graph_.value(a.value).shape[a.axis];
  for (int64_t i = 0; i < size; ++i) join(a, i, b, i);
}

void Ties::join_all() const {
  for (size_t axis = 0; axis < out_shape().size(); ++axis) join(out(axis), in(0, axis));
}

void Ties::join_channels() const {
  join(out(1), in(0, 1));
  pin_pixels();
}

void Ties::pin_pixels() const {
  for (size_t axis = 2; axis < in_shape(0).size(); ++axis) {
    pin(in(0, axis));
    pin(out(axis));
  }
}

void Ties::opaque() const {
  for (size_t i = 0; i < inputs(); ++i) {
    for (size_t axis = 0; axis < in_shape(i).size(); ++axis) pin(in(i, axis));
  }
  for (size_t axis = 0; axis < out_shape().size(); ++axis) pin(out(axis));
}

}  // namespace nestling
