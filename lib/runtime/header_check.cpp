#include <algorithm>
#include <cmath>

#include "runtime/header.h"
#include "runtime/operator.h"

namespace nestling::runtime {
namespace {

// Finds what is wrong; a member function returns true if all is well.
class Checker {
 public:
  Checker(const PackageHeader& header, uint64_t file_bytes)
      : header_(header), file_bytes_(file_bytes) {}

  Status run() {
    if (capacities() && groups() && values() && nodes() && ends() && segments()) return {};
    return {StatusCode::bad_format, "the package's header contradicts itself: " + problem_};
  }

 private:
  static constexpr uint64_t kMaxBlocks = uint64_t{1} << 22;
  static constexpr uint64_t kMaxWeights = uint64_t{1} << 40;  // of one layer, by the widest count

  bool no(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool capacities() {
    if (header_.weights > WeightType::float16) return no("its weights are of an unknown type");
    if (header_.arithmetic > header_.weights) {
      return no("its arithmetic is not of a type that its weights have");
    }
    const size_t count = header_.segments.size();
    return (count >= 1 && count <= kMaxCapacities) ||
           no("the number of capacities is out of range");
  }

  bool groups() {
    for (const GroupSpec& group : header_.groups) {
      if (group.widths.size() != header_.segments.size()) return no("a group lacks widths");
      uint32_t before = 1;
      for (const uint32_t width : group.widths) {
        if (width < before || width > kMaxChannels) return no("a group's width is out of range");
        before = width;
      }
    }
    return true;
  }

  bool axis(const AxisSpec& axis) {
    if (axis.runs.size() > 4096) return no("a value has too many runs of channels");
    if (axis.extent < 1 || axis.extent > kMaxElements) return no("an axis is out of range");
    uint64_t most = 0;
    for (const RunSpec& run : axis.runs) {
      if (run.group >= header_.groups.size()) return no("a run names a group that is not there");
      if (run.count < 1 || run.count > kMaxChannels || run.first > kMaxChannels || run.repeat < 1 ||
          run.repeat > kMaxElements) {
        return no("a run of channels is out of range");
      }
      most += uint64_t{run.count} * run.repeat;
    }
    return most <= kMaxElements || no("an axis is too long");
  }

  // All values at one capacity: what nodes are checked against.
  bool values(uint32_t capacity) {
    shapes_.clear();
    for (uint32_t v = 0; v < header_.values.size(); ++v) {
      shapes_.push_back(header_.shape(v, capacity));
      uint64_t elements = 1;
      for (const uint32_t size : shapes_.back()) {
        if (size < 1) return no("a value has no elements");
        elements *= size;
        if (elements > kMaxElements) return no("a value is too large");
      }
      if (shapes_.back().size() == 4 &&
          (shapes_.back()[2] > kMaxExtent || shapes_.back()[3] > kMaxExtent)) {
        return no("an image is too large");
      }
    }
    return true;
  }

  bool values() {
    uint64_t runs = 0;
    for (const ValueSpec& value : header_.values) {
      if (value.axes.size() > kMaxRank) return no("a value has too many axes");
      if (value.storage > Storage::own) return no("a value has an unknown storage");
      for (const AxisSpec& one : value.axes) {
        if (!axis(one)) return false;
        runs += one.runs.size();
      }
    }
    return runs * header_.capacities() <= kMaxBlocks || no("there are too many values");
  }

  bool nodes() {
    const size_t count = header_.values.size();
    std::vector<bool> known(count);
    uint64_t blocks = 0;  // at most; a hostile header must not keep the reader busy
    if (header_.inputs.empty() || header_.outputs.empty()) return no("there is no input or output");
    for (size_t v = 0; v < count; ++v) known[v] = header_.values[v].storage != Storage::computed;
    for (const uint32_t input : header_.inputs) {
      if (input >= count || known[input]) return no("an input is not a value");
      known[input] = true;
    }
    for (const NodeSpec& node : header_.nodes) {
      if (node.inputs.empty() || node.output >= count) return no("a node lacks its values");
      for (const uint32_t input : node.inputs) {
        if (input >= count || !known[input]) return no("a node uses a value that is not computed");
      }
      if (known[node.output]) return no("a value is computed twice");
      known[node.output] = true;
      const Operator* op = operators_.emplace_back(find_operator(node.op));
      if (op == nullptr) {
        return no("the operator \"" + node.op.substr(0, 40) + "\" is not there");
      }
      if (std::isnan(node.low) || std::isnan(node.high)) return no("a bound is not a number");
      if (op->weights != Weights::none) {
        if (!layer(node, op->weights)) return false;
        blocks += uint64_t{header_.capacities()} * header_.channels(node.inputs[0]).runs.size() *
                  header_.channels(node.output).runs.size();
        if (blocks > kMaxBlocks) return no("there are too many weights");
      }
    }
    for (const uint32_t output : header_.outputs) {
      if (output >= count || !known[output]) return no("an output is not computed");
    }
    for (uint32_t k = 1; k <= header_.capacities(); ++k) {
      if (!values(k)) return false;
      for (size_t n = 0; n < header_.nodes.size(); ++n) {
        const NodeSpec& node = header_.nodes[n];
        std::vector<Shape> in;
        for (const uint32_t input : node.inputs) in.push_back(shapes_[input]);
        const char* problem = operators_[n]->check(node, in, shapes_[node.output]);
        if (problem != nullptr) return no(problem);
      }
    }
    return true;
  }

  // What its blocks of weights need to be found.
  bool layer(const NodeSpec& node, Weights weights) {
    const ValueSpec &x = header_.values[node.inputs[0]], &y = header_.values[node.output];
    if (x.axes.size() < 2 || y.axes.size() < 2) return no("a layer has no channels");
    // Kernels read a little behind their input, where a segment may end.
    if (x.storage != Storage::computed) return no("a layer works on a constant");
    const std::vector<RunSpec>& ins = header_.channels(node.inputs[0]).runs;
    const std::vector<RunSpec>& outs = header_.channels(node.output).runs;
    if (ins.empty() || outs.empty()) return no("a layer's channels belong to no group");
    if (weights != Weights::dense) {
      const auto same = [](const RunSpec& a, const RunSpec& b) {
        return a.group == b.group && a.first == b.first && a.count == b.count &&
               a.repeat == b.repeat;
      };
      return std::equal(ins.begin(), ins.end(), outs.begin(), outs.end(), same) ||
             no("a layer changes the channels");
    }
    const int64_t groups = node.numbers.empty() ? 1 : node.numbers[0];
    if (groups < 1 || ins.size() % static_cast<uint64_t>(groups) != 0 ||
        outs.size() % static_cast<uint64_t>(groups) != 0) {
      return no("a layer's channels do not divide into its groups");
    }
    const uint64_t filter = uint64_t{node.kernel[0]} * node.kernel[1];
    const uint64_t pairs =
        uint64_t{header_.axis_size(header_.channels(node.inputs[0]), header_.capacities())} *
        header_.axis_size(header_.channels(node.output), header_.capacities());
    const uint64_t kMax = uint64_t{1} << 40;
    return (filter >= 1 && filter <= kMax && pairs <= kMaxWeights / filter) ||
           no("a layer is too large");
  }

  bool ends() {
    for (const auto* ends : {&header_.inputs, &header_.outputs}) {
      for (const uint32_t value : *ends) {
        if (header_.shape(value, 1) != header_.shape(value, header_.capacities())) {
          return no("an input or output depends on the capacity");
        }
      }
    }
    const Shape in = header_.shape(header_.inputs[0], 1);
    const Shape out = header_.shape(header_.outputs[0], 1);
    const size_t channels = in.size() == 4 ? in[1] : 0;
    if (header_.mean.size() != channels || header_.deviation.size() != channels) {
      return no("the preprocessing does not fit the input's channels");
    }
    for (const float d : header_.deviation) {
      if (!std::isfinite(d) || d <= 0) return no("a deviation is not positive");
    }
    for (const float m : header_.mean) {
      if (!std::isfinite(m)) return no("a mean is not finite");
    }
    if (header_.resize > kMaxExtent) return no("the resizing is out of range");
    return header_.classes.empty() || (out.size() == 2 && header_.classes.size() == out[1]) ||
           no("the class names do not fit the outputs");
  }

  bool segments() {
    uint64_t end = kPreambleBytes;
    for (uint32_t k = 1; k <= header_.capacities(); ++k) {
      const SegmentSpec& segment = header_.segments[k - 1];
      if (segment.offset % kSegmentAlignment != 0 || segment.offset < end ||
          segment.offset > file_bytes_ || segment.bytes > file_bytes_ - segment.offset) {
        return no("a segment lies outside the file, which may be cut short");
      }
      end = segment.offset + segment.bytes;
      if (segment.bytes != for_each_part(header_, k, {}) * sizeof(float)) {
        return no("a segment is not as long as its weights");
      }
    }
    return true;
  }

  const PackageHeader& header_;
  uint64_t file_bytes_;
  std::vector<Shape> shapes_;               // by value, at the capacity that is checked
  std::vector<const Operator*> operators_;  // by node
  std::string problem_;
};

}  // namespace

Status check_header(const PackageHeader& header, uint64_t file_bytes) {
  return Checker(header, file_bytes).run();
}

}  // namespace nestling::runtime
