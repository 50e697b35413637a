// GPUs, through Vulkan 1.1: the accelerator of a model (ModelOptions).
//
//   auto device = vulkan::Device::open(0);
//   auto model = Model::open("model.nest", {.accelerator = device.value().get()});
//
// The driver is looked for when the program runs. Layers that the GPU has no kernel for run on the
// CPU, in the same memory; Model::cpu_layers says which.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/backend.h"
#include "runtime/export.h"
#include "runtime/status.h"

namespace nestling::runtime::vulkan {

struct DeviceInfo {
  std::string name;           // as the driver has it
  std::string kind;           // "discrete", "integrated", "virtual", "cpu" or "other"
  std::string version;        // of Vulkan, such as "1.3.230"
  uint64_t memory_bytes = 0;  // of its own, or shared with the CPU
};

// Those that can run models, in the driver's order: the numbers that open() takes. Fails if there
// is no Vulkan on this machine.
NESTLING_API Result<std::vector<DeviceInfo>> devices();

// Whether convolutions of 3x3 and stride 1 are computed with a quarter of the multiplications, in
// float32, over sums that are transformed and kept in between (arXiv 1509.09308).
enum class Winograd { where_it_pays, never, always };

struct DeviceOptions {
  // Kernels may let the invocations of a subgroup give each other numbers, where that is faster and
  // the device can.
  bool subgroups = true;
  // The longest that a submission should take, so that others get the device in between: the first
  // two inferences of a capacity submit its layers one by one and time them; one that takes longer
  // is cut from then on. 0: an inference is one submission.
  double slice_ms = 4;
  // Products of convolutions and fully connected layers may be computed in float16, where the GPU
  // can, if a model's outputs change by at most this part of the largest: each model is run once on
  // noise, on the GPU and on the CPU, when it gets its first capacity. A GPU that fails this goes
  // on with float32 (half_failure()). 0: never.
  double half_error = 0;
  // Where the GPU has no memory of its own, segments are read where they are, in the mapped file,
  // if the driver can, and not copied.
  bool share_segments = true;
  Winograd winograd = Winograd::where_it_pays;
  // A file of compiled kernels, which save_cache() wrote: a program that starts again has less to
  // compile. One that is not there, damaged, or of another device or driver, is as none.
  std::string cache = {};
};

// What a device has done since it was opened, and what it holds now.
struct Counters {
  uint64_t submissions = 0, dispatches = 0;
  uint64_t uploaded_bytes = 0;   // of segments
  uint64_t allocated_bytes = 0;  // now: segments, arenas, scratch and tables of all its models
  uint64_t shared_bytes = 0;     // now: segments that it reads in place
};

class Gpu;

// A device that is open. Thread-safe; models of one device wait for each other's layers.
class NESTLING_API Device : public Accelerator {
 public:
  static Result<std::unique_ptr<Device>> open(size_t number, const DeviceOptions& options = {});
  ~Device() override;

  const DeviceInfo& info() const;
  Counters counters() const;
  // Why kernels do not compute in float16, though DeviceOptions::half_error would allow it; ok if
  // they do, as far as is known.
  Status half_failure() const;
  // Writes DeviceOptions::cache, if kernels were compiled since it was read or written last: at
  // once, or not at all.
  Status save_cache();

  std::unique_ptr<Backend> backend(uint32_t capacities) override;

 private:
  explicit Device(std::unique_ptr<Gpu> gpu);
  std::unique_ptr<Gpu> gpu_;
};

}  // namespace nestling::runtime::vulkan
