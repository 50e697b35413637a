#include "graph/ops/group_norm.h"

#include <fmt/format.h>

#include "base/error.h"
#include "graph/onnx_node.h"
#include "graph/onnx_writer.h"
#include "graph/ops/binary.h"
#include "graph/ties.h"

namespace nestling {
namespace {

// A scale or a shift of each channel, before opset 21 of each group, to be broadcast over pixels.
ValueId by_channel(OnnxNode& node, size_t input, int64_t groups, const char* suffix) {
  const Shape x = node.shape(0);
  const std::vector<double> numbers = node.numbers(input);
  const auto channels = static_cast<size_t>(x[1]);
  if (numbers.size() != static_cast<size_t>(node.opset() < 21 ? groups : x[1])) {
    fail("{} scales or shifts do not fit {} groups of {} channels", numbers.size(), groups,
         x[1] / groups);
  }
  Shape shape(x.size() - 1, 1);
  shape[0] = x[1];
  Tensor tensor{shape, std::vector<float>(channels)};
  for (size_t c = 0; c < channels; ++c) {
    tensor.data[c] = static_cast<float>(numbers[c / (channels / numbers.size())]);
  }
  return node.constant(suffix, std::move(tensor));
}

void read(OnnxNode& node) {
  const Shape x = node.shape(0);
  const int64_t groups = node.integer("num_groups", 0);
  if (x.size() < 2 || x[1] < 1 || groups < 1 || x[1] % groups != 0) {
    fail("{} groups do not fit its input", groups);
  }
  node.ignore("stash_type");  // the type of sums, which is float32 here
  const GroupNorm op{x[1] / groups, node.real("epsilon", 1e-5F)};
  const ValueId centred = node.step(".normalised", op, {node.value(0)});
  const ValueId scaled = node.step(".scaled", Binary{Binary::Function::mul},
                                   {centred, by_channel(node, 1, groups, ".scale")});
  node.append(Binary{Binary::Function::add}, {scaled, by_channel(node, 2, groups, ".shift")});
}

}  // namespace

Shape GroupNorm::shape(const Inputs& in) const {
  in.expect(1, 1);
  const Shape& x = in.shape(0);
  if (x.size() < 2) in.refuse("its input has no channels");
  if (size < 1 || x[1] % size != 0) {
    in.refuse(fmt::format("{} channels do not divide into groups of {}", x[1], size));
  }
  return x;
}

// A group stays whole, so that what is left has the mean and the variance that it had.
void GroupNorm::tie(Ties& ties) const {
  ties.join_channels();
  const int64_t channels = ties.out_shape()[1];
  for (int64_t c = 0; c < channels; ++c) ties.bind(ties.out(1), c, ties.out(1), c / size * size);
}

void GroupNorm::write(OnnxWriter& to) const {
  const Shape& x = to.in_shape(0);
  const int64_t groups = x[1] / size;
  to.op_type("Reshape");
  to.input(".split", std::vector<int64_t>{0, groups, -1});
  to.then("InstanceNormalization");
  const auto count = static_cast<size_t>(groups);
  to.input(".ones", Tensor{{groups}, std::vector<float>(count, 1)});
  to.input(".zeros", Tensor{{groups}, std::vector<float>(count, 0)});
  to.real("epsilon", epsilon);
  to.then("Reshape");
  std::vector<int64_t> joined = x;
  joined[0] = 0;
  to.input(".joined", joined);
}

// What `write` writes is recognised in the importer's passes.
std::vector<OnnxRule> GroupNorm::onnx() { return {{"GroupNormalization", read}}; }

}  // namespace nestling
