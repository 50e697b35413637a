#pragma once

#include "graph/ops/rules.h"

namespace nestling {

// Along each axis in `axes` the elements from start on, each a step after the one before, up to but
// without `end`. Starts and ends are clamped as in ONNX; negative ones count from the end.
struct Slice {
  std::vector<int64_t> axes;
  std::vector<int64_t> starts;
  std::vector<int64_t> ends;
  std::vector<int64_t> steps;

  // What is taken from an axis of `size` elements by the i-th entry.
  struct Range {
    int64_t start;
    int64_t step;
    int64_t count;
  };
  Range range(size_t i, int64_t size) const;

  const char* name() const { return "Slice"; }
  Shape shape(const Inputs& in) const;
  void tie(Ties& ties) const;
  void follow(size_t axis, const std::vector<bool>& stays);
  void write(OnnxWriter& to) const;
  static std::vector<OnnxRule> onnx();
};

}  // namespace nestling
