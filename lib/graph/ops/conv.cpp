#include "graph/ops/conv.h"

#include <fmt/format.h>

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ties.h"

namespace nestling {

Shape Conv::shape(const Inputs& in) const {
  in.expect(2, 3);
  const Shape& x = in.expect_rank(0, 4);
  const Shape& w = in.expect_rank(1, 4);
  if (w[0] < 1 || w[1] < 1 || x[1] % w[1] != 0 || w[0] % (x[1] / w[1]) != 0) {
    in.refuse(
        fmt::format("{} filters on {} of {} channels do not divide into groups", w[0], w[1], x[1]));
  }
  in.expect_constant(1, {w[0], w[1], kernel[0], kernel[1]});
  in.expect_constant(2, {w[0]});
  return {x[0], w[0], in.window(x[2], kernel[0], stride[0], dilation[0], padding[0], padding[2]),
          in.window(x[3], kernel[1], stride[1], dilation[1], padding[1], padding[3])};
}

int64_t Conv::macs(const Inputs& in, const Shape& output) const {
  const Shape& w = in.shape(1);  // every output element is a sum over one filter
  return element_count(output) * w[1] * w[2] * w[3];
}

void Conv::tie(Ties& ties) const {
  ties.join(ties.in(1, 0), ties.out(1));
  if (ties.inputs() > 2) ties.join(ties.in(2, 0), ties.out(1));
  ties.pin_pixels();
  const Shape &x = ties.in_shape(0), &w = ties.in_shape(1);
  const int64_t count = groups(x, w);
  if (count == 1) {
    ties.join(ties.in(1, 1), ties.in(0, 1));
    return;
  }
  const int64_t filters = w[0] / count;
  if (w[1] == 1) {  // depthwise: the filters of a channel go with it
    if (filters == 1) ties.join_channels();
    for (int64_t m = 0; m < w[0]; ++m) ties.bind(ties.out(1), m, ties.in(0, 1), m / filters);
    return;
  }
  // The groups shrink evenly: each keeps the same of its channels, and of its filters.
  for (int64_t c = 0; c < x[1]; ++c) ties.bind(ties.in(0, 1), c, ties.in(1, 1), c % w[1]);
  for (int64_t m = 0; m < w[0]; ++m) ties.bind(ties.out(1), m, ties.out(1), m % filters);
}

void Conv::write(OnnxWriter& to) const {
  to.integers("kernel_shape", kernel);
  to.integers("strides", stride);
  to.integers("dilations", dilation);
  to.integers("pads", padding);
  to.integer("group", groups(to.in_shape(0), to.in_shape(1)));
}

std::vector<OnnxRule> Conv::onnx() {
  return {{"Conv", [](OnnxNode& node) {
             if (node.inputs() < 2) fail("has too few inputs");
             Conv conv;
             const Shape &x = node.shape(0), &w = node.shape(1);
             if (x.size() != 4 || w.size() != 4) fail("is not a convolution of images");
             conv.kernel = node.array<2>("kernel_shape", {w[2], w[3]});
             conv.stride = node.array<2>("strides", {1, 1});
             conv.dilation = node.array<2>("dilations", {1, 1});
             conv.padding = node.padding(conv.kernel, conv.stride, conv.dilation);
             const int64_t count = node.integer("group", 1);
             if (count < 1 || count > x[1] || w[1] < 1 || x[1] != count * w[1]) {
               fail("{} groups of {} channels do not fit an input of {}", count, w[1], x[1]);
             }
             node.append(conv, node.values());
           }}};
}

}  // namespace nestling
