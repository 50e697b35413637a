#include "runtime/strides.h"

#include <utility>

#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

// Sets what differs from another value that it has to be like to false, until nothing does.
class Agreement {
 public:
  Agreement(const PackageHeader& header, std::vector<bool>& values)
      : header_(header), values_(values) {}

  void refuse(uint32_t value) {
    changed_ = changed_ || values_[value];
    values_[value] = false;
  }
  // Also in their runs of channels.
  void be_alike(uint32_t a, uint32_t b) {
    if (values_[a] == values_[b] && header_.channels(a).runs == header_.channels(b).runs) return;
    refuse(a);
    refuse(b);
  }
  bool changed() { return std::exchange(changed_, false); }

 private:
  const PackageHeader& header_;
  std::vector<bool>& values_;
  bool changed_ = false;
};

bool has_runs(const PackageHeader& header, uint32_t value) {
  return header.channels(value).runs.size() > 1;
}

// Of a package that is to be refined: slices are copied, as where they begin depends on the
// capacity, and so is what consists of so many runs that smaller capacities, which read them one by
// one, would lose more than is gained.
void give_up(const PackageHeader& header, const std::vector<Stage>& stages,
             std::vector<bool>& keeps, std::vector<std::optional<Part>>& parts) {
  constexpr size_t kMostRuns = 4;
  for (const Stage& stage : stages) {
    if (operator_of(header, stage).traits.first_channel != nullptr) parts[stage.output].reset();
  }
  for (uint32_t v = 0; v < keeps.size(); ++v) {
    if (header.channels(v).runs.size() > kMostRuns) keeps[v] = false;
  }
}

// Refuses values of several runs whose channels would lie elsewhere than in what they are computed
// from or what is computed from them, and concatenations that do not have all their parts inside.
void agree(const PackageHeader& header, const Stage& stage,
           const std::vector<std::optional<Part>>& parts, const std::vector<bool>& keeps,
           Agreement& agreement) {
  const Operator& op = operator_of(header, stage);
  if (header.nodes[stage.node].op == "concat") {
    const std::vector<RunSpec>& runs = header.channels(stage.output).runs;
    size_t slot = 0;
    bool inside = true;
    for (const uint32_t input : stage.inputs) {
      inside = inside && keeps[input] && parts[input] && parts[input]->whole == stage.output;
      for (const RunSpec& run : header.channels(input).runs) {
        inside = inside && slot < runs.size() && runs[slot] == run;
        ++slot;
      }
    }
    if (!inside || slot < runs.size()) agreement.refuse(stage.output);
    for (const uint32_t input : stage.inputs) {
      if (!keeps[stage.output] && has_runs(header, input)) agreement.refuse(input);
    }
  } else if (op.traits.by_channel) {
    for (const uint32_t input : stage.inputs) {
      if (has_runs(header, input) || has_runs(header, stage.output)) {
        agreement.be_alike(input, stage.output);
      }
    }
  } else if (op.weights == Weights::none) {
    if (has_runs(header, stage.output)) agreement.refuse(stage.output);
    for (const uint32_t input : stage.inputs) {
      if (has_runs(header, input)) agreement.refuse(input);
    }
  }
}

}  // namespace

std::vector<uint32_t> pixel_strides(const PackageHeader& header, const std::vector<Stage>& stages,
                                    uint32_t capacity, bool refinable,
                                    std::vector<std::optional<Part>>& parts) {
  const auto channels = [&](uint32_t v) { return header.shape(v, capacity)[1]; };
  std::vector<bool> chosen = strided_values(header, stages, capacity);
  for (uint32_t v = 0; v < chosen.size(); ++v) {
    if (!chosen[v]) continue;
    const std::vector<uint32_t> shape = header.shape(v, capacity);
    chosen[v] =
        shape[2] * shape[3] > 1 && (refinable || (!parts[v] && pixel_stride(shape[1]) > shape[1]));
  }
  if (refinable) give_up(header, stages, chosen, parts);
  Agreement agreement(header, chosen);
  do {
    for (const Stage& stage : stages) {
      // What is added lies as the sum does.
      if (stage.then == Then::add) agreement.be_alike(stage.output, stage.inputs.back());
      if (refinable) agree(header, stage, parts, chosen, agreement);
    }
  } while (agreement.changed());

  std::vector<uint32_t> strides(header.values.size(), 0);
  for (uint32_t v = 0; v < strides.size(); ++v) {
    if (refinable && parts[v] && !chosen[parts[v]->whole]) parts[v].reset();
    if (!chosen[v] || parts[v]) continue;
    strides[v] = pixel_stride(channels(v));
  }
  // A part lies as its whole does.
  for (uint32_t v = 0; v < strides.size(); ++v) {
    if (!parts[v]) continue;
    const uint32_t whole = whole_of(parts, v).whole;
    strides[v] = strides[whole] > 0 ? strides[whole] : channels(whole);
  }
  return strides;
}

}  // namespace nestling::runtime
