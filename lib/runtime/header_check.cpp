#include <cmath>

#include "runtime/header.h"

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

  bool values() {
    const uint32_t largest = header_.capacities();
    for (uint32_t v = 0; v < header_.values.size(); ++v) {
      const ValueSpec& value = header_.values[v];
      if (value.groups.empty() || value.groups.size() > 4096) return no("a value has no channels");
      uint64_t channels = 0;
      for (const uint32_t group : value.groups) {
        if (group >= header_.groups.size()) return no("a value names a group that is not there");
        channels += header_.width(group, largest);
      }
      if (value.height < 1 || value.width < 1 || value.height > kMaxExtent ||
          value.width > kMaxExtent || channels > kMaxChannels ||
          channels * value.height * value.width > kMaxElements) {
        return no("a value is too large");
      }
    }
    return true;
  }

  bool nodes() {
    const size_t count = header_.values.size();
    std::vector<bool> known(count);
    uint64_t blocks = 0;  // at most; a hostile header must not keep the reader busy
    if (header_.input >= count || header_.output >= count) return no("there is no input or output");
    known[header_.input] = true;
    for (const NodeSpec& node : header_.nodes) {
      if (node.inputs.empty() || node.output >= count) return no("a node lacks its values");
      for (const uint32_t input : node.inputs) {
        if (input >= count || !known[input]) return no("a node uses a value that is not computed");
      }
      if (known[node.output]) return no("a value is computed twice");
      known[node.output] = true;
      blocks += uint64_t{header_.capacities()} * header_.values[node.inputs[0]].groups.size() *
                header_.values[node.output].groups.size();
      if (blocks > kMaxBlocks) return no("there are too many nodes");
      if (!fits(node)) return problem_.empty() ? no("a node does not fit its values") : false;
    }
    return known[header_.output] || no("the output is not computed");
  }

  bool fits(const NodeSpec& node) {
    const ValueSpec& x = header_.values[node.inputs[0]];
    const ValueSpec& y = header_.values[node.output];
    const size_t inputs = node.inputs.size();
    const bool same_channels = x.groups == y.groups;
    const bool same_size = x.height == y.height && x.width == y.width;
    if (std::isnan(node.low) || std::isnan(node.high)) return no("a bound is not a number");
    switch (node.op) {
      case OpKind::conv:
        return inputs == 1 && window(node);
      case OpKind::depthwise:
        return inputs == 1 && same_channels && window(node);
      case OpKind::max_pool:
      case OpKind::average_pool:
        return inputs == 1 && same_channels && window(node) && pool(node);
      case OpKind::affine:
      case OpKind::clamp:
        return inputs == 1 && same_channels && same_size;
      case OpKind::softmax:
        return inputs == 1 && same_channels && same_size && x.height == 1 && x.width == 1;
      case OpKind::add: {
        const ValueSpec& other = header_.values[node.inputs[inputs - 1]];
        return inputs == 2 && same_channels && same_size && other.groups == y.groups &&
               other.height == y.height && other.width == y.width;
      }
      case OpKind::concat: {
        std::vector<uint32_t> joined;
        for (const uint32_t input : node.inputs) {
          const ValueSpec& part = header_.values[input];
          if (part.height != y.height || part.width != y.width) return false;
          joined.insert(joined.end(), part.groups.begin(), part.groups.end());
          if (joined.size() > y.groups.size()) return false;
        }
        return joined == y.groups;
      }
    }
    return no("an op is not known; a newer version of the runtime may know it");
  }

  // The output is as large as the window makes it.
  bool window(const NodeSpec& node) {
    const ValueSpec& x = header_.values[node.inputs[0]];
    const ValueSpec& y = header_.values[node.output];
    for (size_t i = 0; i < 2; ++i) {
      const uint64_t in = i == 0 ? x.height : x.width, out = i == 0 ? y.height : y.width;
      const uint64_t k = node.kernel[i], s = node.stride[i], d = node.dilation[i];
      const uint64_t before = node.padding[i], after = node.padding[i + 2];
      if (k < 1 || s < 1 || d < 1 || k > kMaxExtent || s > kMaxExtent || d > kMaxExtent ||
          before > kMaxExtent || after > kMaxExtent) {
        return no("a window is out of range");
      }
      const uint64_t span = d * (k - 1) + 1, padded = in + before + after;
      if (span > padded || (padded - span) / s + 1 != out) return no("a window does not fit");
    }
    const uint64_t filter = uint64_t{node.kernel[0]} * node.kernel[1];
    const uint64_t pairs = uint64_t{header_.channels(node.inputs[0], header_.capacities())} *
                           header_.channels(node.output, header_.capacities());
    return pairs <= kMaxWeights / filter || no("a layer is too large");
  }

  // Every window of a pooling sees a pixel.
  bool pool(const NodeSpec& node) {
    for (size_t i = 0; i < 2; ++i) {
      if (node.dilation[i] != 1 || node.padding[i] >= node.kernel[i] ||
          node.padding[i + 2] >= node.kernel[i]) {
        return no("a pooling is padded too much");
      }
    }
    return true;
  }

  bool ends() {
    for (const uint32_t group : header_.values[header_.input].groups) {
      if (!constant_width(group)) return no("the input's channels depend on the capacity");
    }
    for (const uint32_t group : header_.values[header_.output].groups) {
      if (!constant_width(group)) return no("the output's channels depend on the capacity");
    }
    const uint32_t channels = header_.channels(header_.input, 1);
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
    return header_.classes.empty() ||
           header_.classes.size() == header_.channels(header_.output, 1) ||
           no("the class names do not fit the outputs");
  }
  bool constant_width(uint32_t group) const {
    return header_.groups[group].widths.front() == header_.groups[group].widths.back();
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
      const uint64_t floats = for_each_block(header_, k, [](uint32_t, const Block&) {});
      if (segment.bytes != floats * sizeof(float)) {
        return no("a segment is not as long as its weights");
      }
    }
    return true;
  }

  const PackageHeader& header_;
  uint64_t file_bytes_;
  std::string problem_;
};

}  // namespace

Status check_header(const PackageHeader& header, uint64_t file_bytes) {
  return Checker(header, file_bytes).run();
}

}  // namespace nestling::runtime
