#include "graph/ops/reshape.h"

#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>
#include <set>

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {
namespace {

// Appends a reshape of input 0 to `to`, which says nothing of 0 and -1 yet: sizes that are the
// input's at the same place become 0, and a single other one -1.
void append_to(OnnxNode& node, Shape to) {
  const Shape& x = node.shape(0);
  for (size_t i = 0; i < to.size() && i < x.size() && to[i] == x[i] && x[i] != 0; ++i) to[i] = 0;
  std::vector<size_t> others;
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] > 1) others.push_back(i);
  }
  if (others.size() == 1 && std::find(to.begin(), to.end(), -1) == to.end()) to[others[0]] = -1;
  node.append(Reshape{to}, {node.value(0)});
}

void read_reshape(OnnxNode& node) {
  const Shape& x = node.shape(0);
  std::vector<double> numbers;
  if (node.inputs() > 1) {
    numbers = node.numbers(1);
  } else {
    for (const int64_t n : node.integers("shape")) numbers.push_back(static_cast<double>(n));
  }
  const bool zero_is_zero = node.integer("allowzero", 0) != 0;
  node.ignore("consumed_inputs");
  Shape to;
  bool rest = false;
  const bool batch = !x.empty() && x[0] == kBatch;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (std::isnan(numbers[i])) {
      if (i != 0 || !batch) fail("has the batch elsewhere than in front");
      to.push_back(kBatch);
      continue;
    }
    const auto size = static_cast<int64_t>(numbers[i]);
    if (size == 0 && zero_is_zero) fail("to a tensor without elements is not supported");
    if (size < -1 || size > (int64_t{1} << 40)) fail("to the size {} is not supported", size);
    if (size == 0 && i >= x.size()) fail("keeps the size of an axis that is not there");
    to.push_back(size == 0 ? x[i] : size);
  }
  // With a symbolic batch the file may say -1, or the one size that it was exported with, for it.
  if (batch && !to.empty() && to[0] != kBatch) {
    to[0] = node.is_batch_size(to[0]) || to[0] == -1 ? kBatch : to[0];
  }
  for (int64_t& size : to) {
    if (size == -1 && &size != to.data()) rest = true;
  }
  if (batch && !rest && !to.empty() && to[0] == kBatch && element_count(to) != element_count(x)) {
    fail("from {} to {} does not fit", x, to);
  }
  append_to(node, to);
}

void read_flatten(OnnxNode& node) {
  const Shape x = node.shape(0);
  int64_t axis = node.integer("axis", 1);
  const auto rank = static_cast<int64_t>(x.size());
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) fail("has an axis that is not there");
  if (axis == 1) return node.append(flatten(), {node.value(0)});
  if (rank > 0 && x[0] == kBatch) fail("puts other axes beside the batch");
  Shape to = {1, 1};
  for (int64_t i = 0; i < rank; ++i) to[i < axis ? 0 : 1] *= x[static_cast<size_t>(i)];
  node.append(Reshape{to}, {node.value(0)});
}

// Axes as numbers from 0 on, without repetition.
std::set<int64_t> axes_of(OnnxNode& node, size_t rank) {
  std::set<int64_t> axes;
  for (int64_t axis : node.integers("axes", 1).value_or(std::vector<int64_t>{})) {
    if (axis < 0) axis += static_cast<int64_t>(rank);
    if (axis < 0 || axis >= static_cast<int64_t>(rank)) fail("has an axis that is not there");
    if (!axes.insert(axis).second) fail("names an axis twice");
  }
  return axes;
}

void read_squeeze(OnnxNode& node) {
  const Shape& x = node.shape(0);
  const std::set<int64_t> axes = axes_of(node, x.size());
  Shape to;
  for (size_t i = 0; i < x.size(); ++i) {
    const bool named = axes.empty() ? x[i] == 1 : axes.contains(static_cast<int64_t>(i));
    if (named && x[i] != 1) fail("removes an axis of size {}", x[i]);
    if (!named) to.push_back(x[i]);
  }
  append_to(node, to);
}

void read_unsqueeze(OnnxNode& node) {
  const Shape& x = node.shape(0);
  const size_t added = node.integers("axes", 1).value_or(std::vector<int64_t>{}).size();
  const std::set<int64_t> axes = axes_of(node, x.size() + added);
  Shape to;
  size_t from = 0;
  for (size_t i = 0; i < x.size() + added; ++i) {
    to.push_back(axes.contains(static_cast<int64_t>(i)) ? 1 : x[from++]);
  }
  if (!x.empty() && x[0] == kBatch && to[0] != kBatch) fail("puts an axis before the batch");
  append_to(node, to);
}

}  // namespace

Shape Reshape::shape(const Inputs& in) const {
  in.expect(1, 1);
  const Shape& x = in.shape(0);
  Shape y = to;
  const bool batch = !x.empty() && x[0] == kBatch;
  size_t rest = y.size();
  for (size_t i = 0; i < y.size(); ++i) {
    if (y[i] == 0) {
      if (i >= x.size()) in.refuse("keeps the size of an axis that is not there");
      y[i] = x[i];
    } else if (y[i] == -1) {
      if (rest < y.size()) in.refuse("has two sizes to find out");
      rest = i;
    } else if (y[i] < 0) {
      in.refuse("has a negative size");
    }
  }
  if (batch && (y.empty() || y[0] != kBatch || rest == 0)) {
    in.refuse("mixes the batch with other axes");
  }
  const int64_t wanted = element_count(x);
  if (rest < y.size()) {
    y[rest] = 1;
    const int64_t known = element_count(y);
    if (known == 0 || wanted % known != 0)
      in.refuse(fmt::format("from {} to {} does not fit", x, to));
    y[rest] = wanted / known;
  }
  if (element_count(y) != wanted) in.refuse(fmt::format("from {} to {} does not fit", x, to));
  return y;
}

// Runs of axes with equal products lie behind each other in both shapes. Where one side of a run is
// a single axis, its elements are the channels of the other side's first axis, each one several
// times; runs of several axes on both sides say nothing.
void Reshape::tie(Ties& ties) const {
  const Shape &x = ties.in_shape(0), &y = ties.out_shape();
  const auto size = [](int64_t n) { return n == kBatch ? 1 : n; };
  // The first axis of a run that has elements to speak of; an image's channels even if there is
  // one.
  const auto first = [&](const Shape& shape, size_t begin, size_t end) {
    if (shape.size() == 4 && begin == 1) return begin;
    while (begin + 1 < end && size(shape[begin]) == 1) ++begin;
    return begin;
  };
  size_t i_end = 0, j_end = 0;
  while (i_end < x.size() && j_end < y.size()) {
    const size_t i = i_end, j = j_end;
    int64_t in = size(x[i_end++]), out = size(y[j_end++]);
    while (in != out) {
      if (in < out) {
        in *= size(x[i_end++]);
      } else {
        out *= size(y[j_end++]);
      }
    }
    const size_t a = first(x, i, i_end), b = first(y, j, j_end);
    const bool single = size(x[a]) == in || size(y[b]) == in;
    if (single && size(x[a]) == size(y[b])) ties.join(ties.out(b), ties.in(0, a));
    for (int64_t k = 0; single && k < in; ++k) {
      ties.bind(ties.out(b), k / (in / size(y[b])), ties.in(0, a), k / (in / size(x[a])));
    }
    for (size_t k = i; k < i_end; ++k) {
      if (k != a || !single) ties.pin(ties.in(0, k));
    }
    for (size_t k = j; k < j_end; ++k) {
      if (k != b || !single) ties.pin(ties.out(k));
    }
  }
}

void Reshape::write(OnnxWriter& to_node) const {
  if (to == flatten().to && to_node.in_shape(0).size() > 2) {
    to_node.op_type("Flatten");
  } else {
    to_node.input(".shape", to);
  }
}

std::vector<OnnxRule> Reshape::onnx() {
  return {{"Reshape", read_reshape},
          {"Flatten", read_flatten},
          {"Squeeze", read_squeeze},
          {"Unsqueeze", read_unsqueeze}};
}

}  // namespace nestling
