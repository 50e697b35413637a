// How a step runs on a GPU: which kernel, over how many workgroups, with what numbers.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "runtime/plan.h"
#include "runtime/vulkan/gpu.h"

namespace nestling::runtime::vulkan {

inline constexpr uint32_t kNone = 0xffffffff;  // as in shaders/memory.glsl

// Where the plan's memory lies, as shaders see it.
class Places {
 public:
  Places(const float* arena, uint64_t bytes) : arena_(arena), floats_(bytes / sizeof(float)) {}

  void add_segment(const float* weights, uint64_t bytes) {
    segments_.push_back({weights, bytes / sizeof(float)});
  }
  uint32_t segments() const { return static_cast<uint32_t>(segments_.size()); }
  uint64_t floats() const;  // of all of it

  // Floats from the beginning of the arena; none if it lies elsewhere.
  std::optional<uint32_t> in_arena(const float* address) const;

  // Floats from the beginning of a segment, or, of kNone, of the arena; none if it is in neither.
  struct Place {
    uint32_t segment, at;
  };
  std::optional<Place> place_of(const void* address) const;

 private:
  struct Segment {
    const float* data;
    uint64_t floats;
  };
  const float* arena_;
  uint64_t floats_;
  std::vector<Segment> segments_;
};

struct Dispatch {
  Kernel kernel;
  std::array<uint32_t, 3> groups{1, 1, 1};
  std::array<uint32_t, kPushBytes / 4> push{};
  std::array<uint32_t, 3> first{};  // of the workgroups, where others run those before
  bool waits = false;               // for the step's dispatches before it
};

using Table = std::vector<std::array<uint32_t, 4>>;

// What kernels need beside the memory of the plan.
struct Needs {
  Table table = Table(1);  // where their weights lie, and others of their numbers; never empty
  uint64_t scratch = 4;    // floats, between dispatches of a step
};

// What runs the step; none if there is no kernel for it.
std::optional<std::vector<Dispatch>> dispatches_of(const Step& step, const Places& places,
                                                   const Gpu& gpu, Needs& needs);

}  // namespace nestling::runtime::vulkan
