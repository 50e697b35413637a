#include "runtime/strides.h"

#include "runtime/continuation.h"
#include "runtime/operator.h"

namespace nestling::runtime {

std::vector<uint32_t> pixel_strides(const PackageHeader& header, const std::vector<Stage>& stages,
                                    const std::vector<std::optional<Part>>& parts,
                                    uint32_t capacity, bool refinable) {
  constexpr uint32_t kApart = 256;  // floats
  std::vector<uint32_t> strides(header.values.size(), 0);
  for (const Stage& stage : stages) {
    const Operator& op = *find_operator(header.nodes[stage.node].op);
    const std::vector<uint32_t> shape = header.shape(stage.output, capacity);
    if (!op.traits.strided || is_clamped_after(op, stage.low, stage.high) || shape.size() != 4 ||
        shape[2] * shape[3] == 1) {
      continue;
    }
    const bool apart = shape[1] % kApart == 0;
    if (refinable ? keeps_places(header, stage.output, capacity) : apart) {
      strides[stage.output] = shape[1] + (apart ? static_cast<uint32_t>(kLine) : 0);
    }
  }
  for (const Stage& stage : stages) {
    if (find_operator(header.nodes[stage.node].op)->traits.strided) continue;
    for (const uint32_t input : stage.inputs) strides[input] = 0;
  }
  for (const uint32_t output : header.outputs) strides[output] = 0;
  for (uint32_t v = 0; v < strides.size(); ++v) {
    if (parts[v]) strides[v] = 0;
  }
  // What is added lies as the sum does.
  for (bool changed = true; changed;) {
    changed = false;
    for (const Stage& stage : stages) {
      if (stage.then != Then::add) continue;
      uint32_t &sum = strides[stage.output], &addend = strides[stage.inputs.back()];
      changed = changed || sum != addend;
      if (sum != addend) sum = addend = 0;
    }
  }
  // A part lies as its whole does.
  for (uint32_t v = 0; v < strides.size(); ++v) {
    if (!parts[v]) continue;
    const uint32_t whole = whole_of(parts, v).whole;
    strides[v] = strides[whole] > 0 ? strides[whole] : header.shape(whole, capacity)[1];
  }
  return strides;
}

}  // namespace nestling::runtime
