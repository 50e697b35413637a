#include "graph/onnx_node.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace nestling {

std::vector<int64_t> OnnxNode::whole_numbers(size_t input) {
  std::vector<int64_t> whole;
  for (const double number : numbers(input)) {
    if (std::isnan(number)) fail("needs a number that depends on the batch");
    // The ends of slices are often the largest integer there is.
    constexpr double kLimit = 9223372036854774784.0;
    whole.push_back(number > kLimit    ? INT64_MAX
                    : number < -kLimit ? INT64_MIN
                                       : static_cast<int64_t>(number));
  }
  return whole;
}

std::optional<std::vector<int64_t>> OnnxNode::integers(const char* attribute, size_t input) {
  if (has_input(input)) return whole_numbers(input);
  std::vector<int64_t> found = integers(attribute);
  if (found.empty()) return std::nullopt;
  return found;
}

Padding OnnxNode::padding(const Extent& kernel, const Extent& stride, const Extent& dilation) {
  const Padding given = array<4>("pads", {});
  const std::string mode = text("auto_pad", "NOTSET");
  if (mode == "NOTSET") return given;
  if (mode == "VALID") return {};
  if (mode != "SAME_UPPER" && mode != "SAME_LOWER") fail("its auto_pad {} is not supported", mode);
  const Shape& x = shape(0);
  if (x.size() != 4) fail("works on images only");
  Padding result{};
  for (size_t i = 0; i < 2; ++i) {
    constexpr int64_t kMax = 1 << 20;
    for (const int64_t n : {stride[i], kernel[i], dilation[i]}) {
      if (n < 1 || n > kMax) fail("its window is out of range");
    }
    const int64_t size = x[i + 2];
    const int64_t needed = ((size + stride[i] - 1) / stride[i] - 1) * stride[i] +
                           (kernel[i] - 1) * dilation[i] + 1 - size;
    const int64_t total = std::max<int64_t>(needed, 0);
    result[i] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
    result[i + 2] = total - result[i];
  }
  return result;
}

void OnnxNode::wrong_length(const char* name, size_t found, size_t wanted) {
  fail("its attribute {} has {} numbers, not {}", name, found, wanted);
}

}  // namespace nestling
