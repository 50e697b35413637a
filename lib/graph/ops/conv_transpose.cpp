#include "graph/ops/conv_transpose.h"

#include <fmt/format.h>

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {
namespace {

// Without padding.
int64_t full_size(const ConvTranspose& op, const Shape& x, size_t i) {
  return (x[i + 2] - 1) * op.stride[i] + op.dilation[i] * (op.kernel[i] - 1) + 1 +
         op.output_padding[i];
}

void read(OnnxNode& node) {
  if (node.inputs() < 2) fail("has too few inputs");
  ConvTranspose op;
  const Shape &x = node.shape(0), &w = node.shape(1);
  if (x.size() != 4 || w.size() != 4) fail("is not a convolution of images");
  op.kernel = node.array<2>("kernel_shape", {w[2], w[3]});
  op.stride = node.array<2>("strides", {1, 1});
  op.dilation = node.array<2>("dilations", {1, 1});
  op.output_padding = node.array<2>("output_padding", {0, 0});
  op.groups = node.integer("group", 1);
  op.padding = node.array<4>("pads", {});
  const std::string mode = node.text("auto_pad", "NOTSET");
  Extent size = node.array<2>("output_shape", {0, 0});
  const bool sized = size[0] > 0 && size[1] > 0;
  for (size_t i = 0; i < 2; ++i) {
    constexpr int64_t kMax = 1 << 20;
    for (const int64_t n : {op.kernel[i], op.stride[i], op.dilation[i]}) {
      if (n < 1 || n > kMax) fail("its kernel, stride or dilation is out of range");
    }
    for (const int64_t n : {size[i], op.output_padding[i]}) {
      if (n < 0 || n > kMax) fail("its output is out of range");
    }
  }
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER" || sized) {
    for (size_t i = 0; i < 2; ++i) {
      if (!sized) size[i] = x[i + 2] * op.stride[i];
      const int64_t total = full_size(op, x, i) - size[i];
      // Of what cannot be cut off in halves; of what is missing, all at the end.
      if (total < 0) op.output_padding[i] -= total;
      const int64_t cut = std::max<int64_t>(total, 0);
      op.padding[i] = mode == "SAME_UPPER" ? cut / 2 : cut - cut / 2;
      op.padding[i + 2] = cut - op.padding[i];
    }
  } else if (mode == "VALID") {
    op.padding = {};
  } else if (mode != "NOTSET") {
    fail("its auto_pad {} is not supported", mode);
  }
  node.append(op, node.values());
}

}  // namespace

Shape ConvTranspose::shape(const Inputs& in) const {
  in.expect(2, 3);
  const Shape& x = in.expect_rank(0, 4);
  const Shape& w = in.expect_rank(1, 4);
  if (groups < 1 || x[1] % groups != 0 || w[1] < 1 || w[1] > (1 << 20) || groups > (1 << 20)) {
    in.refuse(fmt::format("{} channels do not divide into {} groups", x[1], groups));
  }
  in.expect_constant(1, {x[1], w[1], kernel[0], kernel[1]});
  in.expect_constant(2, {w[1] * groups});
  Shape y = {x[0], w[1] * groups, 0, 0};
  for (size_t i = 0; i < 2; ++i) {
    constexpr int64_t kMax = 1 << 20;
    for (const int64_t n : {kernel[i], stride[i], dilation[i]}) {
      if (n < 1 || n > kMax) in.refuse("kernel, stride or dilation is out of range");
    }
    for (const int64_t n : {padding[i], padding[i + 2], output_padding[i]}) {
      if (n < 0 || n > kMax) in.refuse("the padding is out of range");
    }
    y[i + 2] = full_size(*this, x, i) - padding[i] - padding[i + 2];
    if (y[i + 2] < 1) in.refuse("nothing is left of the output");
  }
  return y;
}

int64_t ConvTranspose::macs(const Inputs& in, const Shape&) const {
  const Shape& w = in.shape(1);  // every input element meets the filters of its group
  return element_count(in.shape(0)) * w[1] * w[2] * w[3];
}

void ConvTranspose::tie(Ties& ties) const {
  ties.pin_pixels();
  ties.join(ties.in(1, 0), ties.in(0, 1));
  const int64_t filters = ties.in_shape(1)[1];
  for (int64_t m = 0; m < filters * groups; ++m) {
    ties.bind(ties.out(1), m, ties.in(1, 1), m % filters);
    if (ties.inputs() > 2) ties.join(ties.in(2, 0), m, ties.out(1), m);
  }
  if (groups > 1) {  // the groups stay as they are
    ties.pin(ties.in(0, 1));
    ties.pin(ties.out(1));
  }
}

void ConvTranspose::write(OnnxWriter& to) const {
  to.integers("kernel_shape", kernel);
  to.integers("strides", stride);
  to.integers("dilations", dilation);
  to.integers("pads", padding);
  to.integers("output_padding", output_padding);
  to.integer("group", groups);
}

std::vector<OnnxRule> ConvTranspose::onnx() { return {{"ConvTranspose", read}}; }

}  // namespace nestling
