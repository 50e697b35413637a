#include "runtime/places.h"

#include <algorithm>

#include "runtime/continuation.h"
#include "runtime/operator.h"
#include "runtime/parts.h"
#include "runtime/strides.h"

namespace nestling::runtime {
namespace {

// Memory for a value and those that come to lie over it, from one stage to another.
struct Buffer {
  uint64_t floats;
  size_t first, last;
  uint64_t offset = 0;
};

// Whether the stage may write its result over its `i`-th input: each element is read before, and by
// the thread that writes there.
bool may_overwrite(const PackageHeader& header, const Stage& stage, size_t i, uint32_t capacity) {
  const std::vector<uint32_t> shape = header.shape(stage.output, capacity);
  if (header.shape(stage.inputs[i], capacity) != shape) return false;
  const Operator& op = operator_of(header, stage);
  if (op.traits.in_place) return true;
  // A convolution that adds its own input still needs it.
  if (std::count(stage.inputs.begin(), stage.inputs.end(), stage.inputs[i]) > 1) return false;
  // Kernels read whole vectors: behind the last channel lie those of the next pixel, which may be
  // another thread's. (Of what is added they do not, see Finish, but it has the same rule.)
  constexpr uint32_t kWidest = 16;
  if (header.axis_size(header.channels(stage.output), capacity) % kWidest != 0) return false;
  return op.weights == Weights::scale || stage.is_addend(i);
}

// The lowest place for each buffer, one after the other: the largest first (greedy by size, arXiv
// 2001.03288), or as they come. Returns what all take.
uint64_t place(std::vector<Buffer>& buffers, bool by_size) {
  std::vector<Buffer*> order, placed;  // `placed` by offset
  order.reserve(buffers.size());
  for (Buffer& buffer : buffers) order.push_back(&buffer);
  std::sort(order.begin(), order.end(), [&](const Buffer* a, const Buffer* b) {
    if (by_size && a->floats != b->floats) return a->floats > b->floats;
    return a->first != b->first ? a->first < b->first : a < b;
  });
  uint64_t all = 0;
  for (Buffer* buffer : order) {
    uint64_t begin = 0;
    for (const Buffer* other : placed) {
      const bool together = other->first <= buffer->last && buffer->first <= other->last;
      if (!together || other->offset + other->floats <= begin) continue;
      if (other->offset >= begin + buffer->floats) break;
      begin = other->offset + other->floats;
    }
    buffer->offset = begin;
    placed.insert(std::find_if(placed.begin(), placed.end(),
                               [&](const Buffer* other) { return other->offset > begin; }),
                  buffer);
    all = std::max(all, begin + buffer->floats);
  }
  return all;
}

}  // namespace

Places place_values(const PackageHeader& header, const std::vector<Stage>& stages,
                    uint32_t capacity, bool refinable) {
  const size_t count = header.values.size(), end = stages.size();
  std::vector<size_t> last_use(count, 0);
  for (size_t s = 0; s < end; ++s) {
    last_use[stages[s].output] = s;
    for (const uint32_t input : stages[s].inputs) last_use[input] = s;
  }
  for (const uint32_t output : header.outputs) last_use[output] = end;
  // From here on of wholes: what is used of one is used of its parts.
  std::vector<std::optional<Part>> parts = parts_of(header, stages, capacity);
  std::vector<uint32_t> strides = pixel_strides(header, stages, capacity, refinable, parts);
  const auto whole = [&](uint32_t value) { return whole_of(parts, value).whole; };
  for (uint32_t v = 0; v < count; ++v) {
    last_use[whole(v)] = std::max(last_use[whole(v)], last_use[v]);
  }
  // What the next inference goes on from is there from its first stage to the last of this one.
  std::vector<bool> stays(count, false);
  if (refinable) {
    const std::vector<bool> continued = continued_stages(header, stages);
    for (size_t s = 0; s < end; ++s) {
      if (continued[s]) stays[whole(stages[s].output)] = true;
    }
  }

  std::vector<Buffer> buffers;
  std::vector<size_t> buffer_of(count, SIZE_MAX);  // by whole
  const auto add = [&](uint32_t value, size_t first, size_t last) {
    buffer_of[value] = buffers.size();
    const std::vector<uint32_t> shape = header.shape(value, capacity);
    const uint64_t floats = strides[value] > 0
                                ? uint64_t{shape[0]} * shape[2] * shape[3] * strides[value]
                                : element_count(shape);
    buffers.push_back({padded_row(floats), first, last});
  };
  for (const uint32_t input : header.inputs) add(input, 0, refinable ? end : last_use[input]);
  // Whether nobody but this stage's element-wise reading of its `i`-th input sees that any more.
  const auto is_free = [&](const Stage& stage, size_t i, size_t s) {
    const uint32_t input = stage.inputs[i];
    if (parts[input] || buffer_of[input] == SIZE_MAX) return false;
    return buffers[buffer_of[input]].last == s &&
           std::all_of(stage.inputs.begin(), stage.inputs.end(), [&](uint32_t other) {
             return other == input || buffer_of[whole(other)] != buffer_of[input];
           });
  };
  for (size_t s = 0; s < end; ++s) {
    const Stage& stage = stages[s];
    const uint32_t output = whole(stage.output);
    for (size_t i = 0; i < stage.inputs.size() && buffer_of[output] == SIZE_MAX; ++i) {
      if (refinable || output != stage.output || !is_free(stage, i, s) ||
          strides[output] != strides[stage.inputs[i]] ||
          !may_overwrite(header, stage, i, capacity)) {
        continue;
      }
      buffer_of[output] = buffer_of[stage.inputs[i]];
      buffers[buffer_of[output]].last = last_use[output];
    }
    if (buffer_of[output] != SIZE_MAX) continue;
    add(output, stays[output] ? 0 : s, stays[output] ? end : last_use[output]);
  }

  Places places;
  places.capacity = capacity;
  std::vector<Buffer> as_they_come = buffers;
  const uint64_t by_size = place(buffers, true), by_first = place(as_they_come, false);
  if (by_first < by_size) buffers.swap(as_they_come);
  places.floats = std::min(by_size, by_first);
  for (size_t s = 0; s <= end; ++s) {
    uint64_t floats = 0;
    for (const Buffer& buffer : buffers) {
      if (buffer.first <= s && s <= buffer.last) floats += buffer.floats;
    }
    places.least = std::max(places.least, floats);
  }
  places.offsets.resize(count, 0);
  places.strides = std::move(strides);
  for (uint32_t v = 0; v < count; ++v) {
    const Part part = whole_of(parts, v);
    if (buffer_of[part.whole] == SIZE_MAX) continue;
    places.offsets[v] = buffers[buffer_of[part.whole]].offset + part.first;
  }
  return places;
}

size_t Places::first_channel(const PackageHeader& header, uint32_t value, uint32_t slot,
                             uint32_t at) const {
  size_t first = 0;
  for (uint32_t s = 0; s < slot; ++s) {
    first += header.run_size(header.channels(value).runs[s], strides[value] > 0 ? capacity : at);
  }
  return first;
}

uint32_t Places::channels(const PackageHeader& header, uint32_t value, uint32_t at) const {
  const AxisSpec& axis = header.channels(value);
  if (axis.runs.empty()) return axis.extent;
  const auto last = static_cast<uint32_t>(axis.runs.size() - 1);
  return static_cast<uint32_t>(first_channel(header, value, last, at)) +
         header.run_size(axis.runs[last], at);
}

}  // namespace nestling::runtime
