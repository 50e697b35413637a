// The .nest package: one file, one header, one segment a capacity. Reader and writer share this
// page.
//
//   offset 0   "NESTLING"                       8 bytes
//          8   version                          uint32, little-endian like everything
//         12   bytes of the header              uint32
//         16   XXH3 (64 bits) of the header     uint64
//         24   header                           protobuf, schemas/package.proto
//    aligned   segment of capacity 1            weights, in the order kernels read them
//    aligned   segment of capacity 2            what capacity 2 adds
//          ...
//
// Segments begin at multiples of kSegmentAlignment, so that each can be mapped by itself.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "runtime/export.h"

namespace nestling::runtime {

inline constexpr char kMagic[8] = {'N', 'E', 'S', 'T', 'L', 'I', 'N', 'G'};
inline constexpr uint32_t kVersion = 4;
inline constexpr uint64_t kPreambleBytes = 24;
inline constexpr uint64_t kSegmentAlignment = 16384;  // the largest page of Android and Apple
inline constexpr uint32_t kPanel = 8;                 // output channels that lie together

// Limits that a reader enforces before it asks for memory.
inline constexpr uint64_t kMaxHeaderBytes = 16U << 20;
inline constexpr uint32_t kMaxCapacities = 64;
inline constexpr uint32_t kMaxChannels = 1U << 20;
inline constexpr uint32_t kMaxExtent = 1U << 14;
inline constexpr uint64_t kMaxElements = uint64_t{1} << 28;  // of one activation

inline constexpr uint32_t kMaxRank = 8;

// Channels that grow together: `widths[k - 1]` of them exist at capacity k, never fewer than
// before.
struct GroupSpec {
  std::string name;
  std::vector<uint32_t> widths;
};

// Places along an axis: `count` channels of a group from `first` on, each `repeat` times, as far as
// they exist at a capacity.
struct RunSpec {
  uint32_t group = 0;
  uint32_t first = 0;
  uint32_t count = 1;
  uint32_t repeat = 1;

  bool operator==(const RunSpec&) const = default;
};

// The size of an axis: that of its runs, or `extent` if it has none.
struct AxisSpec {
  uint32_t extent = 1;
  std::vector<RunSpec> runs;
};

// Where the numbers of a value come from.
enum class Storage : uint32_t {
  computed = 0,  // an activation
  shared = 1,    // a constant, in the segment of capacity 1
  own = 2,       // a constant that every capacity has for itself, in its own segment
};

// An activation or a constant of the network, with the axes that it has in ONNX; a batch has one
// image. Images, which have four axes, are stored [batch, height, width, channels], everything
// else in the order of its axes.
struct ValueSpec {
  std::string name;  // of the network's inputs and outputs
  std::vector<AxisSpec> axes;
  Storage storage = Storage::computed;
};

// What a node computes is said by an operator (operator.h), which also says what the numbers mean.
struct NodeSpec {
  std::string op;
  std::vector<uint32_t> inputs;          // values
  uint32_t output = 0;                   // value
  std::array<uint32_t, 2> kernel{1, 1};  // {height, width}, and so on
  std::array<uint32_t, 2> stride{1, 1};
  std::array<uint32_t, 2> dilation{1, 1};
  std::array<uint32_t, 4> padding{};  // {top, left, bottom, right}
  std::vector<int64_t> numbers;
  std::vector<float> reals;
  // The result is clamped: Relu is {0, infinity}.
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  bool own_weights = false;  // every capacity has all weights of its own (a classifier head)
  bool own_scale = false;    // every capacity has all scales and shifts of its own
};

struct SegmentSpec {
  uint64_t offset = 0;
  uint64_t bytes = 0;
  uint64_t checksum = 0;  // XXH3, 64 bits
  // Of the whole capacity, not only of what it adds.
  uint64_t macs = 0;        // multiply-accumulates of one image
  uint64_t parameters = 0;  // trainable numbers
};

// How dense weights are stored, and, where the processor can, what is computed with them.
// Everything else is float32.
enum class WeightType : uint32_t { float32 = 0, float16 = 1 };
inline const char* name_of(WeightType type) {
  return type == WeightType::float16 ? "fp16" : "fp32";
}

struct PackageHeader {
  std::string name;
  WeightType weights = WeightType::float32;
  WeightType arithmetic = WeightType::float32;
  bool causal = false;  // a capacity's channels do not see those that larger ones add
  std::vector<GroupSpec> groups;
  std::vector<ValueSpec> values;
  std::vector<NodeSpec> nodes;        // in the order in which they run
  std::vector<uint32_t> inputs;       // values
  std::vector<uint32_t> outputs;      // values
  std::vector<SegmentSpec> segments;  // by capacity
  std::vector<std::string> classes;
  std::vector<float> mean, deviation;  // per input channel, of pixel values from 0 to 1
  uint32_t resize = 0;                 // shorter side before the centre crop; 0: none
  uint64_t independent_bytes = 0;      // of the packages that each capacity alone would take

  uint32_t capacities() const { return static_cast<uint32_t>(segments.size()); }
  uint32_t width(uint32_t group, uint32_t capacity) const {  // capacity 0 has none
    return capacity == 0 ? 0 : groups[group].widths[capacity - 1];
  }
  NESTLING_API uint32_t run_size(const RunSpec& run, uint32_t capacity) const;
  NESTLING_API uint32_t axis_size(const AxisSpec& axis, uint32_t capacity) const;
  NESTLING_API std::vector<uint32_t> shape(uint32_t value, uint32_t capacity) const;
  // The axis of a value along which channels lie for layers: the second of an image, else the last.
  const AxisSpec& channels(uint32_t value) const {
    const std::vector<AxisSpec>& axes = values[value].axes;
    return axes.size() == 4 ? axes[1] : axes.back();
  }
};

// A layer's weights are cut into blocks. What capacity j adds to one run of output channels is a
// range, stored in panels of kPanel (the last one filled up with zeros). The range of capacity j
// meets, in segment j, all input channels of capacity j; and in the segment of each larger capacity
// k, unless growth is causal, the input channels that k adds. Each block is
//   [panel][kernel row][kernel column][input channel][kPanel]       dense weights
//   [panel][kernel row][kernel column][kPanel]                      depthwise, which has no input
//   range
// and the reduction of an output runs over the blocks of its range. In a layer of several groups
// (numbers[0]) the runs of output and input channels divide evenly among them, in turn, and only
// those of the same group meet. Behind the blocks of all nodes lie the constants.
struct Block {
  enum class Kind { weights, scale, shift } kind;
  uint32_t out_slot;          // index into the runs of the output's channels
  uint32_t range;             // the capacity that added these output channels
  uint32_t in_slot;           // index into the runs of the input's channels
  uint32_t in_begin, in_end;  // places of that run
  uint64_t offset;            // words from the beginning of the segment

  // Of a layer's weights, which may be float16; depthwise ones never are.
  bool is_dense() const { return kind == Kind::weights && in_end > in_begin; }
};

// The panels of a range: how many kPanel are needed for what `capacity` adds to a run.
uint32_t panels(const PackageHeader& header, const RunSpec& run, uint32_t capacity);

// The words of a block, of four bytes: as many as its numbers, or half of that if they are float16.
uint64_t block_words(const PackageHeader& header, const NodeSpec& node, const Block& block);

// Calls `block` for every block of every node and `constant` for every constant in the segment of
// `capacity`, in file order, and returns the segment's words. The header must have been checked.
struct SegmentVisitor {
  std::function<void(uint32_t node, const Block&)> block = [](uint32_t, const Block&) {};
  std::function<void(uint32_t value, uint64_t offset)> constant = [](uint32_t, uint64_t) {};
};
uint64_t for_each_part(const PackageHeader& header, uint32_t capacity,
                       const SegmentVisitor& visitor);

}  // namespace nestling::runtime
