#include "graph/interpret/step.h"

namespace nestling {

std::vector<int64_t> broadcast_strides(const Shape& shape, size_t rank) {
  std::vector<int64_t> result(rank, 0);
  int64_t stride = 1;
  for (size_t i = shape.size(); i > 0; --i) {
    if (shape[i - 1] != 1) result[rank - shape.size() + i - 1] = stride;
    stride *= shape[i - 1];
  }
  return result;
}

std::vector<int64_t> strides(const Shape& shape) {
  std::vector<int64_t> result(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i > 0; --i) {
    result[i - 1] = stride;
    stride *= shape[i - 1];
  }
  return result;
}

std::vector<size_t> places(const Shape& shape, const std::vector<int64_t>& strides, int64_t start) {
  std::vector<size_t> result(static_cast<size_t>(element_count(shape)));
  Shape index(shape.size(), 0);
  int64_t at = start;
  for (size_t& place : result) {
    place = static_cast<size_t>(at);
    for (size_t axis = shape.size(); axis > 0; --axis) {
      at += strides[axis - 1];
      if (++index[axis - 1] < shape[axis - 1]) break;
      at -= strides[axis - 1] * shape[axis - 1];
      index[axis - 1] = 0;
    }
  }
  return result;
}

void gather(const Tensor& x, const std::vector<size_t>& from, Tensor& y) {
  for (size_t i = 0; i < from.size(); ++i) y.data[i] = x.data[from[i]];
}

Fold fold(const Shape& shape, size_t axis, size_t count) {
  Fold result{1, 1, 1};
  for (size_t i = 0; i < shape.size(); ++i) {
    size_t& part = i < axis ? result.before : i < axis + count ? result.along : result.after;
    part *= static_cast<size_t>(shape[i]);
  }
  return result;
}

}  // namespace nestling
