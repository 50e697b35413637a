#include "runtime/stages.h"

#include "runtime/functions.h"
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

bool is_binary(const NodeSpec& node, BinaryFunction function) {
  return node.op == "binary" && node.numbers[0] == static_cast<int64_t>(function);
}

// Whether two values have the same shape at every capacity.
bool same_shape(const PackageHeader& header, uint32_t a, uint32_t b) {
  for (uint32_t k = 1; k <= header.capacities(); ++k) {
    if (header.shape(a, k) != header.shape(b, k)) return false;
  }
  return true;
}

// Whether a convolution needs nothing but the same pixel of an image that is worth computing in
// parts: one that has enough of them for the threads, and need not fit into a cache.
bool is_pointwise(const PackageHeader& header, const NodeSpec& node) {
  constexpr uint32_t kLeastPixels = 768;
  if (node.op != "conv" || node.kernel[0] * node.kernel[1] != 1) return false;
  if (node.stride[0] * node.stride[1] != 1) return false;
  const Shape x = header.shape(node.inputs[0], 1), y = header.shape(node.output, 1);
  return layer_groups(node) == 1 && y.size() == 4 && x[2] == y[2] && x[3] == y[3] &&
         y[2] * y[3] >= kLeastPixels;
}

}  // namespace

std::vector<Stage> stages_of(const PackageHeader& header, bool pairs) {
  constexpr size_t kNone = SIZE_MAX;
  const size_t count = header.nodes.size();
  std::vector<size_t> producer(header.values.size(), kNone), last_use(header.values.size(), kNone);
  std::vector<size_t> uses(header.values.size(), 0);
  for (size_t n = 0; n < count; ++n) {
    producer[header.nodes[n].output] = n;
    for (const uint32_t input : header.nodes[n].inputs) {
      ++uses[input];
      last_use[input] = n;
    }
  }
  for (const uint32_t output : header.outputs) ++uses[output];
  // The only node that reads the result of another; null if there are more.
  const auto reader = [&](const NodeSpec& node) {
    const bool one = uses[node.output] == 1 && last_use[node.output] != kNone;
    return one ? &header.nodes[last_use[node.output]] : nullptr;
  };
  const auto is_paired = [&](const NodeSpec& node) {
    const NodeSpec* next = node.op == "depthwise" && pairs ? reader(node) : nullptr;
    return next != nullptr && is_pointwise(header, *next);
  };

  std::vector<bool> taken(count, false);
  std::vector<Stage> stages;
  for (size_t n = 0; n < count; ++n) {
    if (taken[n]) continue;
    const NodeSpec& node = header.nodes[n];
    if (is_paired(node)) continue;
    Stage& stage = stages.emplace_back(
        Stage{static_cast<uint32_t>(n), node.inputs, node.output, node.low, node.high});
    if (const size_t before = producer[node.inputs[0]];
        before != kNone && is_paired(header.nodes[before])) {
      stage.depthwise = static_cast<uint32_t>(before);
      stage.inputs[0] = header.nodes[before].inputs[0];
    }
    const NodeSpec* behind = reader(node);
    if (behind == nullptr || is_bounded(node.low, node.high)) continue;
    const NodeSpec& next = *behind;
    if (next.op != "binary") continue;
    const uint32_t other = next.inputs[next.inputs[0] == node.output ? 1 : 0];
    const Weights weights = find_operator(node.op)->weights;
    if ((weights == Weights::dense || weights == Weights::depthwise) &&
        is_binary(next, BinaryFunction::add) && same_shape(header, other, node.output) &&
        header.values[other].storage == Storage::computed &&
        (producer[other] == kNone || producer[other] < n)) {
      stage.then = Then::add;
      stage.inputs.push_back(other);
    } else if (node.op == "unary" && is_binary(next, BinaryFunction::mul) &&
               other == node.inputs[0]) {
      stage.then = Then::multiply;
    } else {
      continue;
    }
    stage.output = next.output;
    stage.low = next.low;
    stage.high = next.high;
    taken[last_use[node.output]] = true;
  }
  return stages;
}

}  // namespace nestling::runtime
