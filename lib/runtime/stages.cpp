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

}  // namespace

std::vector<Stage> stages_of(const PackageHeader& header) {
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

  std::vector<bool> taken(count, false);
  std::vector<Stage> stages;
  for (size_t n = 0; n < count; ++n) {
    if (taken[n]) continue;
    const NodeSpec& node = header.nodes[n];
    Stage& stage = stages.emplace_back(
        Stage{static_cast<uint32_t>(n), node.inputs, node.output, node.low, node.high});
    // The only node that sees the result.
    if (uses[node.output] != 1 || last_use[node.output] == kNone) continue;
    if (is_bounded(node.low, node.high)) continue;
    const NodeSpec& next = header.nodes[last_use[node.output]];
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
