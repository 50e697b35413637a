#include "graph/ops/slice.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <numeric>
#include <set>

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {
namespace {

void read_slice(OnnxNode& node) {
  Slice op;
  op.starts = node.integers("starts", 1).value_or(std::vector<int64_t>{});
  op.ends = node.integers("ends", 2).value_or(std::vector<int64_t>{});
  std::vector<int64_t> all(op.starts.size());
  std::iota(all.begin(), all.end(), 0);
  op.axes = node.integers("axes", 3).value_or(all);
  op.steps = node.integers("", 4).value_or(std::vector<int64_t>(op.starts.size(), 1));
  const auto rank = static_cast<int64_t>(node.shape(0).size());
  for (int64_t& axis : op.axes) axis += axis < 0 ? rank : 0;
  node.append(op, {node.value(0)});
}

// A slice for each output.
void read_split(OnnxNode& node) {
  const Shape x = node.shape(0);
  const auto rank = static_cast<int64_t>(x.size());
  int64_t axis = node.integer("axis", 0);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) fail("splits along an axis that is not there");
  const int64_t size = x[static_cast<size_t>(axis)];
  if (node.outputs() < 1) fail("has no output");
  const auto parts = static_cast<int64_t>(node.outputs());
  node.ignore("num_outputs");  // as many as are listed
  if (size == kBatch) fail("splits the batch");
  std::vector<int64_t> sizes = node.integers("split", 1).value_or(std::vector<int64_t>{});
  if (sizes.empty()) {
    const int64_t each = (size + parts - 1) / parts;
    for (int64_t left = size; left > 0; left -= each) sizes.push_back(std::min(each, left));
  }
  for (const int64_t part : sizes) {
    if (part < 0 || part > size) fail("its parts do not add up to its input");
  }
  if (static_cast<int64_t>(sizes.size()) != parts ||
      std::accumulate(sizes.begin(), sizes.end(), int64_t{0}) != size) {
    fail("its parts do not add up to its input");
  }
  int64_t start = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (node.has_output(i)) {
      node.append(Slice{{axis}, {start}, {start + sizes[i]}, {1}}, {node.value(0)}, i);
    }
    start += sizes[i];
  }
}

}  // namespace

Slice::Range Slice::range(size_t i, int64_t size) const {
  const int64_t step = steps[i];
  // Negative numbers count from the end; what lies outside is moved to the border.
  const auto place = [&](int64_t at, int64_t low, int64_t high) {
    return std::clamp(at < 0 ? std::max(at, -size - 1) + size : at, low, high);
  };
  Range range{0, step, 0};
  if (step > 0) {
    range.start = place(starts[i], 0, size);
    const int64_t end = place(ends[i], 0, size);
    range.count = std::max<int64_t>(0, (end - range.start + step - 1) / step);
  } else {
    range.start = place(starts[i], 0, size - 1);
    const int64_t end = place(ends[i], -1, size - 1);
    range.count = std::max<int64_t>(0, (range.start - end - step - 1) / -step);
  }
  return range;
}

Shape Slice::shape(const Inputs& in) const {
  in.expect(1, 1);
  Shape y = in.shape(0);
  if (starts.size() != axes.size() || ends.size() != axes.size() || steps.size() != axes.size()) {
    in.refuse("has not as many starts, ends and steps as axes");
  }
  std::set<size_t> met;
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t axis = in.axis(axes[i], y.size());
    constexpr int64_t kMax = int64_t{1} << 40;
    if (!met.insert(axis).second) in.refuse("names an axis twice");
    if (steps[i] == 0 || steps[i] > kMax || steps[i] < -kMax) in.refuse("has a step out of range");
    if (y[axis] == kBatch) {
      if (starts[i] == 0 && ends[i] == std::numeric_limits<int64_t>::max() && steps[i] == 1)
        continue;
      in.not_the_batch(y, axis);
    }
    y[axis] = range(i, y[axis]).count;
    if (y[axis] == 0) in.refuse(fmt::format("nothing is left of axis {}", axis));
  }
  return y;
}

void Slice::tie(Ties& ties) const {
  const Shape& x = ties.in_shape(0);
  for (size_t a = 0; a < x.size(); ++a) {
    const auto found = std::find(axes.begin(), axes.end(), static_cast<int64_t>(a));
    if (found == axes.end() || x[a] == kBatch) {
      ties.join(ties.out(a), ties.in(0, a));
      continue;
    }
    // What is taken keeps its channel.
    const Range taken = range(static_cast<size_t>(found - axes.begin()), x[a]);
    for (int64_t i = 0; i < taken.count; ++i) {
      ties.join(ties.out(a), i, ties.in(0, a), taken.start + i * taken.step);
    }
    // Of every second channel a cut leaves no even steps.
    if (taken.step != 1) {
      ties.pin(ties.in(0, a));
      ties.pin(ties.out(a));
    }
  }
}

void Slice::follow(size_t axis, const std::vector<bool>& stays) {
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != static_cast<int64_t>(axis)) continue;
    const Range taken = range(i, static_cast<int64_t>(stays.size()));
    if (taken.step != 1) continue;  // pinned: nothing goes
    const auto from = stays.begin() + taken.start;
    starts[i] = std::count(stays.begin(), from, true);
    ends[i] = starts[i] + std::count(from, from + taken.count, true);
  }
}

void Slice::write(OnnxWriter& to) const {
  to.input(".starts", starts);
  to.input(".ends", ends);
  to.input(".axes", axes);
  to.input(".steps", steps);
}

std::vector<OnnxRule> Slice::onnx() { return {{"Slice", read_slice}, {"Split", read_split}}; }

}  // namespace nestling
