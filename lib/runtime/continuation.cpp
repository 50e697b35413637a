#include "runtime/continuation.h"

#include <cstring>

#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

// Whether some channels of the result can be computed without the others.
bool is_divisible(const PackageHeader& header, const Stage& stage) {
  const Operator& op = operator_of(header, stage);
  if (!op.traits.by_channel || !op.traits.strided || is_clamped_after(op, stage.low, stage.high))
    return false;
  for (uint32_t k = 1; k <= header.capacities(); ++k) {
    const std::vector<uint32_t> shape = header.shape(stage.output, k);
    if (shape.size() != 4) return false;
    for (const uint32_t input : stage.inputs) {
      if (header.shape(input, k)[1] != shape[1]) return false;
    }
  }
  return true;
}

}  // namespace

std::vector<bool> continued_stages(const PackageHeader& header, const std::vector<Stage>& stages) {
  // What every larger capacity has too, so that kernels compute the same from it.
  std::vector<bool> stays(header.values.size(), false);
  for (size_t v = 0; v < stays.size(); ++v) stays[v] = header.values[v].storage == Storage::shared;
  for (const uint32_t input : header.inputs) stays[input] = true;
  std::vector<bool> continued(stages.size());
  for (size_t s = 0; s < stages.size(); ++s) {
    const Stage& stage = stages[s];
    const NodeSpec& node = header.nodes[stage.node];
    const Operator& op = *find_operator(node.op);
    const bool dense = op.weights == Weights::dense;
    bool same =
        header.causal && !node.own_weights && !node.own_scale && (dense || op.traits.by_channel);
    for (const uint32_t input : stage.inputs) same = same && stays[input];
    stays[stage.output] = same;
    const std::vector<uint32_t> shape = header.shape(stage.output, 1);
    const bool image = shape.size() == 4 && shape[2] * shape[3] > 1;
    continued[s] = same && (dense ? image : is_divisible(header, stage));
  }
  return continued;
}

Widening widening_of(const PackageHeader& header, uint32_t value, uint32_t capacity) {
  const AxisSpec& axis = header.channels(value);
  Widening widening;
  for (const RunSpec& run : axis.runs) {
    const size_t channels = header.run_size(run, capacity);
    if (channels > 0) {
      widening.runs.push_back({widening.from_channels, widening.to_channels, channels});
    }
    widening.from_channels += channels;
    widening.to_channels += header.run_size(run, capacity + 1);
  }
  return widening;
}

void widen(const Widening& widening, const Tensor& y) {
  if (widening.from_channels == widening.to_channels) return;
  // From the end: everything moves away from the beginning.
  for (size_t pixel = y.elements() / widening.to_channels; pixel-- > 0;) {
    const float* from = y.data + pixel * widening.from_channels;
    float* to = y.data + pixel * widening.to_channels;
    for (size_t i = widening.runs.size(); i-- > 0;) {
      const Widening::Run& run = widening.runs[i];
      std::memmove(to + run.to, from + run.from, run.channels * sizeof(float));
    }
  }
}

}  // namespace nestling::runtime
