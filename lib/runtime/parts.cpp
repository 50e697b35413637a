#include "runtime/parts.h"

#include <algorithm>

#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

class Finder {
 public:
  Finder(const PackageHeader& header, const std::vector<Stage>& stages, uint32_t capacity)
      : header_(header),
        stages_(stages),
        capacity_(capacity),
        fits_(strided_values(header, stages, capacity)) {
    // What is added lies as the sum does, by its own place.
    for (const Stage& stage : stages) {
      if (stage.then == Then::nothing) continue;
      fits_[stage.output] = false;
      if (stage.then == Then::add) fits_[stage.inputs.back()] = false;
    }
  }

  std::vector<std::optional<Part>> run() {
    parts_.resize(header_.values.size());
    for (const Stage& stage : stages_) {
      if (header_.nodes[stage.node].op == "concat") find_joined(stage);
      if (operator_of(header_, stage).traits.first_channel != nullptr) find_cut(stage);
    }
    // Kernels read whole vectors, and behind the last channel of what they read must not lie what
    // other threads write meanwhile.
    for (const Stage& stage : stages_) {
      if (operator_of(header_, stage).weights == Weights::none || !parts_[stage.output]) continue;
      const uint32_t whole = whole_of(parts_, stage.output).whole;
      const bool beside = std::any_of(stage.inputs.begin(), stage.inputs.end(), [&](uint32_t v) {
        return whole_of(parts_, v).whole == whole;
      });
      if (beside) parts_[stage.output].reset();
    }
    return std::move(parts_);
  }

 private:
  std::vector<uint32_t> shape(uint32_t value) const { return header_.shape(value, capacity_); }

  // The inputs of a concatenation are computed where its result lies.
  void find_joined(const Stage& stage) {
    if (header_.nodes[stage.node].numbers[0] != 1 || shape(stage.output).size() != 4) return;
    uint32_t first = 0;
    for (const uint32_t input : stage.inputs) {
      const bool once = std::count(stage.inputs.begin(), stage.inputs.end(), input) == 1;
      if (once && fits_[input] && !parts_[input]) parts_[input] = Part{stage.output, first};
      first += shape(input)[1];
    }
  }

  // A slice of neighbouring channels stays where it is.
  void find_cut(const Stage& stage) {
    if (!fits_[stage.output]) return;
    const uint32_t input = stage.inputs[0];
    if (header_.values[input].storage != Storage::computed || shape(input).size() != 4) return;
    std::vector<Shape> in;
    for (const uint32_t v : stage.inputs) in.push_back(shape(v));
    const auto first =
        operator_of(header_, stage)
            .traits.first_channel(header_.nodes[stage.node], in, shape(stage.output));
    if (first) parts_[stage.output] = Part{input, *first};
  }

  const PackageHeader& header_;
  const std::vector<Stage>& stages_;
  uint32_t capacity_;
  std::vector<bool> fits_;  // values that could be parts
  std::vector<std::optional<Part>> parts_;
};

}  // namespace

std::vector<bool> strided_values(const PackageHeader& header, const std::vector<Stage>& stages,
                                 uint32_t capacity) {
  std::vector<bool> strided(header.values.size(), false);
  for (const Stage& stage : stages) {
    const Operator& op = operator_of(header, stage);
    strided[stage.output] = op.traits.strided && !is_clamped_after(op, stage.low, stage.high) &&
                            header.shape(stage.output, capacity).size() == 4;
  }
  for (const Stage& stage : stages) {
    if (operator_of(header, stage).traits.strided) continue;
    for (const uint32_t input : stage.inputs) strided[input] = false;
  }
  for (const uint32_t output : header.outputs) strided[output] = false;
  return strided;
}

std::vector<std::optional<Part>> parts_of(const PackageHeader& header,
                                          const std::vector<Stage>& stages, uint32_t capacity) {
  return Finder(header, stages, capacity).run();
}

Part whole_of(const std::vector<std::optional<Part>>& parts, uint32_t value) {
  Part part{value, 0};
  while (parts[part.whole])
    part = {parts[part.whole]->whole, part.first + parts[part.whole]->first};
  return part;
}

}  // namespace nestling::runtime
