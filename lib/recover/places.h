// Where a smaller capacity's constants lie in larger ones.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "graph/tensor.h"

namespace nestling {

// For every element of a smaller constant, in order, its place in a larger one of `shape`; of each
// axis the index there of each of its own.
inline std::vector<size_t> elements_at(const std::vector<std::vector<int64_t>>& indices,
                                       const Shape& shape) {
  std::vector<size_t> elements = {0};
  for (size_t axis = 0; axis < indices.size(); ++axis) {
    std::vector<size_t> next;
    next.reserve(elements.size() * indices[axis].size());
    for (const size_t before : elements) {
      for (const int64_t index : indices[axis]) {
        next.push_back(before * static_cast<size_t>(shape[axis]) + static_cast<size_t>(index));
      }
    }
    elements = std::move(next);
  }
  return elements;
}

}  // namespace nestling
