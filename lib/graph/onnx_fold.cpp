#include "graph/onnx_fold.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "graph/interpret/step.h"

namespace nestling {
namespace {

const onnx::AttributeProto* attribute(const FoldContext& c, const char* name) {
  for (const onnx::AttributeProto& a : c.node.attribute()) {
    if (a.name() == name) return &a;
  }
  return nullptr;
}

int64_t integer(const FoldContext& c, const char* name, int64_t otherwise) {
  const auto* found = attribute(c, name);
  return found == nullptr ? otherwise : found->i();
}

// An input's numbers as integers, of which none may be the batch's.
std::vector<int64_t> whole(const Numbers& numbers) {
  std::vector<int64_t> result;
  for (const double n : numbers.data) {
    if (std::isnan(n)) fail("depends on the batch in a way that is not supported");
    constexpr double kLimit = 1e18;
    result.push_back(static_cast<int64_t>(std::clamp(n, -kLimit, kLimit)));
  }
  return result;
}

// An input, or an attribute of older files.
std::vector<int64_t> whole(const FoldContext& c, const char* name, int input) {
  if (const auto* found = attribute(c, name)) return {found->ints().begin(), found->ints().end()};
  if (input >= c.node.input_size() || c.node.input(input).empty()) return {};
  const auto numbers = c.numbers(input);
  if (!numbers) fail("needs a constant");
  return whole(*numbers);
}

size_t axis_of(int64_t axis, size_t rank) {
  if (axis < 0) axis += static_cast<int64_t>(rank);
  if (axis < 0 || axis >= static_cast<int64_t>(rank)) fail("has an axis that is not there");
  return static_cast<size_t>(axis);
}

Numbers vector_of(std::vector<double> data) {
  const auto count = static_cast<int64_t>(data.size());
  return {{count}, std::move(data), false};
}

Numbers shape_of(const FoldContext& c, const Shape& shape) {
  const auto rank = static_cast<int64_t>(shape.size());
  const auto place = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  std::vector<double> sizes;
  const int64_t end = place(integer(c, "end", rank));
  for (int64_t i = place(integer(c, "start", 0)); i < end; ++i) {
    const int64_t size = shape[static_cast<size_t>(i)];
    sizes.push_back(size == kBatch ? std::numeric_limits<double>::quiet_NaN()
                                   : static_cast<double>(size));
  }
  return vector_of(std::move(sizes));
}

Numbers gathered(const FoldContext& c, const Numbers& x, const Numbers& indices) {
  const size_t axis = axis_of(integer(c, "axis", 0), x.shape.size());
  const auto [before, along, after] = fold(x.shape, axis);
  Numbers y;
  y.real = x.real;
  y.shape.assign(x.shape.begin(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  y.shape.insert(y.shape.end(), indices.shape.begin(), indices.shape.end());
  y.shape.insert(y.shape.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1,
                 x.shape.end());
  const std::vector<int64_t> wanted = whole(indices);
  if (static_cast<size_t>(element_count(y.shape)) > kMaxNumbers) fail("gathers too much");
  for (size_t o = 0; o < before; ++o) {
    for (const int64_t index : wanted) {
      const size_t i = axis_of(index, along);
      for (size_t j = 0; j < after; ++j) y.data.push_back(x.data[(o * along + i) * after + j]);
    }
  }
  return y;
}

Numbers concatenated(const FoldContext& c, const std::vector<Numbers>& parts) {
  if (parts.empty()) fail("has no inputs");
  if (axis_of(integer(c, "axis", 0), std::max<size_t>(parts[0].shape.size(), 1)) != 0) {
    fail("joins sizes along another axis than the first");
  }
  std::vector<double> joined;
  for (const Numbers& part : parts) {
    if (part.shape.size() != 1) fail("joins sizes that are not lists");
    joined.insert(joined.end(), part.data.begin(), part.data.end());
  }
  return vector_of(std::move(joined));
}

Numbers sliced(const FoldContext& c, const Numbers& x) {
  if (x.shape.size() != 1) fail("slices sizes that are not a list");
  const std::vector<int64_t> starts = whole(c, "starts", 1), ends = whole(c, "ends", 2);
  const std::vector<int64_t> steps = whole(c, "", 4);
  if (starts.size() != 1 || ends.size() != 1 || steps.size() > 1) fail("slices no list");
  const Slice slice{{0}, starts, ends, steps.empty() ? std::vector<int64_t>{1} : steps};
  if (slice.steps[0] == 0) fail("has a step of 0");
  const Slice::Range range = slice.range(0, x.shape[0]);
  std::vector<double> taken;
  for (int64_t i = 0; i < range.count; ++i) {
    taken.push_back(x.data[static_cast<size_t>(range.start + i * range.step)]);
  }
  return vector_of(std::move(taken));
}

Numbers reshaped(const FoldContext& c, const Numbers& x) {
  const std::string& type = c.node.op_type();
  Shape shape;
  if (type == "Reshape") {
    shape = whole(c, "shape", 1);
    const auto count = static_cast<int64_t>(x.data.size());
    int64_t known = 1;
    for (const int64_t n : shape) {
      if (n < -1 || n > count) fail("does not fit");
      known = std::min(known * std::max<int64_t>(n, 1), count + 1);
    }
    for (int64_t& n : shape) n = n == -1 ? count / std::max<int64_t>(known, 1) : n;
  } else {
    std::vector<int64_t> axes = whole(c, "axes", 1);
    const bool add = type == "Unsqueeze";
    const size_t rank = x.shape.size() + (add ? axes.size() : 0);
    std::vector<bool> named(rank);
    for (const int64_t axis : axes) named[axis_of(axis, rank)] = true;
    size_t from = 0;
    for (size_t i = 0; i < rank; ++i) {
      if (add) {
        shape.push_back(named[i] || from >= x.shape.size() ? 1 : x.shape[from++]);
      } else if (!named[i] && (!axes.empty() || x.shape[i] != 1)) {
        shape.push_back(x.shape[i]);
      }
    }
  }
  if (element_count(shape) != static_cast<int64_t>(x.data.size())) fail("does not fit");
  return {shape, x.data, x.real};
}

using Function = double (*)(double, double);

Numbers combined(Function f, const Numbers& a, const Numbers& b) {
  if (a.data.size() != 1 && b.data.size() != 1 && a.shape != b.shape) {
    fail("combines sizes that do not fit each other");
  }
  Numbers y = a.data.size() == 1 && b.shape.size() >= a.shape.size() ? b : a;
  for (size_t i = 0; i < y.data.size(); ++i) {
    y.data[i] = f(a.data[a.data.size() == 1 ? 0 : i], b.data[b.data.size() == 1 ? 0 : i]);
  }
  return y;
}

Numbers cast(const FoldContext& c, Numbers x) {
  x.real = is_float(static_cast<int>(integer(c, "to", onnx::TensorProto::FLOAT)));
  for (double& n : x.data) n = x.real ? n : std::trunc(n);
  return x;
}

Numbers filled(const FoldContext& c, const Numbers& shape) {
  double value = 0;
  bool real = true;
  if (const auto* found = attribute(c, "value")) {
    const Numbers given = number_tensor(found->t());
    if (given.data.size() != 1) fail("needs one value");
    value = given.data[0];
    real = given.real;
  }
  const Shape size = whole(shape);
  for (const int64_t n : size) {
    if (n < 0) fail("has a negative size");
  }
  if (element_count(size) > (1 << 24)) fail("is too large");
  return {size, std::vector<double>(static_cast<size_t>(element_count(size)), value), real};
}

const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> all = {
      {"Add", [](double a, double b) { return a + b; }},
      {"Sub", [](double a, double b) { return a - b; }},
      {"Mul", [](double a, double b) { return a * b; }},
      {"Div", [](double a, double b) { return a / b; }},
      {"Min", [](double a, double b) { return std::min(a, b); }},
      {"Max", [](double a, double b) { return std::max(a, b); }},
  };
  return all;
}

}  // namespace

bool can_fold(const std::string& type) {
  constexpr const char* kOthers[] = {"Shape",   "Size",      "Gather",  "Concat", "Slice",
                                     "Reshape", "Unsqueeze", "Squeeze", "Cast",   "ConstantOfShape",
                                     "Floor",   "Ceil"};
  return functions().contains(type) ||
         std::find(std::begin(kOthers), std::end(kOthers), type) != std::end(kOthers);
}

std::optional<Numbers> fold_numbers(const FoldContext& c) {
  const std::string& type = c.node.op_type();
  if (c.node.input_size() < 1) return std::nullopt;
  if (type == "Shape" || type == "Size") {
    const auto shape = c.shape(0);
    if (!shape) return std::nullopt;
    if (type == "Shape") return shape_of(c, *shape);
    return Numbers{{}, {static_cast<double>(element_count(*shape))}, false};
  }
  std::vector<Numbers> inputs;
  for (int i = 0; i < c.node.input_size(); ++i) {
    if (c.node.input(i).empty()) continue;
    auto numbers = c.numbers(i);
    if (!numbers) return std::nullopt;
    if (numbers->data.size() > kMaxNumbers) return std::nullopt;
    inputs.push_back(std::move(*numbers));
  }
  Numbers& x = inputs[0];
  if (type == "ConstantOfShape") return filled(c, x);
  if (type == "Concat") return concatenated(c, inputs);
  if (type == "Slice") return sliced(c, x);
  if (type == "Reshape" || type == "Unsqueeze" || type == "Squeeze") return reshaped(c, x);
  if (type == "Cast") return cast(c, x);
  if (type == "Floor" || type == "Ceil") {
    for (double& n : x.data) n = type == "Floor" ? std::floor(n) : std::ceil(n);
    return x;
  }
  if (inputs.size() != 2) fail("needs two inputs");
  if (type == "Gather") return gathered(c, x, inputs[1]);
  Numbers y = combined(functions().at(type), x, inputs[1]);
  y.real = x.real || inputs[1].real;
  if (!y.real) {  // the quotient of integers is one
    for (double& n : y.data) n = std::trunc(n);
  }
  return y;
}

}  // namespace nestling
