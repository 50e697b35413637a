// Runs a package on the device, at any of its capacities.
//
//   Result<Model> opened = Model::open("model.nest", {.threads = 2});
//   Model& model = opened.value();
//   model.set_capacity(3);                 // pages segments 1 to 3 in
//   model.run(image, scores);
//   model.set_capacity(1);                 // pages segments 2 and 3 out
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/export.h"
#include "runtime/log.h"
#include "runtime/package_format.h"
#include "runtime/pixels.h"
#include "runtime/status.h"
#include "runtime/workers.h"

namespace nestling::runtime {

class Accelerator;
class Segments;

struct ModelOptions {
  int threads = 1;
  Workers workers = {};  // on which they run, if the application has some
  bool verify = true;    // the checksum of each segment when it is first paged in
  // The file at a path may end before the package does, and be written on at its end: capacities
  // whose segments are whole can be used, the smallest come first.
  bool partial = false;
  // For run_at() and refine(): takes memory for every capacity up to the present one, and keeps
  // maps through an inference. The package must be of causal growth.
  bool refinable = false;
  // Where layers run, such as a GPU (vulkan/device.h); null: on the CPU. Outlives the model.
  Accelerator* accelerator = nullptr;
  // Where that fails or has no memory, layers run on the CPU from then on, beginning with the
  // inference or the change of capacity that failed; accelerator_failure() says so. Else both are
  // errors.
  bool fall_back = false;
  // Not empty: a file in which the model keeps how this device computes the convolutions of each
  // capacity fastest, for several packages if the application likes. Of a capacity that the file
  // says nothing of, set_capacity() measures it, which takes some twenty inferences; the file gone,
  // it is measured anew. Outputs may differ in their last bits from those without it. On the CPU
  // only.
  std::string tuning = {};
  Log log = {};
};

// What a model holds at its present capacity.
struct Footprint {
  uint64_t weights_bytes = 0;     // mapped segments
  uint64_t activation_bytes = 0;  // the arena
  uint64_t values_bytes = 0;      // of it, what values have that layers give to each other
  uint64_t values_bound = 0;      // the least that these can take
};

// One layer of an inference; seconds since its beginning.
struct LayerTime {
  uint32_t node = 0;  // of the header
  double begin_s = 0, end_s = 0;
};

// Layers that run on the CPU: nodes of the header, and the bytes of what they read and write in an
// inference, weights aside. An accelerator works in the same memory, so nothing is copied, but each
// processor waits for the other.
struct CpuLayers {
  std::vector<uint32_t> nodes;
  uint64_t bytes = 0;
};

// A package that is open. Weights are mapped from the file and never copied; activations live in
// one arena that is laid out when the capacity changes. The file must not change while it is open.
// Thread-safe: calls on one model wait for each other, so a change of capacity waits for the
// inference that runs, and the next inference runs at the new one. Moving is not: a model is moved
// while nobody uses it.
class NESTLING_API Model {
 public:
  // Reads and checks the header; no segment is paged in yet.
  static Result<Model> open(const char* path, const ModelOptions& options);

  // The same for a package of `bytes` bytes that begins at `offset`, a multiple of 4, of an open
  // file, such as an asset inside an APK. The descriptor is duplicated: the caller may close it.
  static Result<Model> open_descriptor(int descriptor, uint64_t offset, uint64_t bytes,
                                       const ModelOptions& options);

  // The same for a package in memory, aligned to 4 bytes, that stays as it is as long as the model
  // lives. Nothing is mapped; paging out gives no memory back.
  static Result<Model> open_memory(const void* data, uint64_t bytes, const ModelOptions& options);

  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  const PackageHeader& header() const;

  // 1 is the smallest; 0 pages everything out. Maps what the capacity adds or unmaps what it
  // leaves. If it fails (damaged segment, no memory) the model is left at capacity 0.
  Status set_capacity(uint32_t capacity);
  uint32_t capacity() const;

  // The largest capacity that is there: the package's, or, of one that still arrives
  // (ModelOptions), what was there when it was opened or refreshed; 0 if not even the smallest is.
  uint32_t available() const;
  // Looks how far such a package has come. Fails if the file became shorter.
  Status refresh();
  Footprint footprint() const;
  // Of convolutions on this CPU: float16 where the package allows it and the processor can.
  WeightType arithmetic() const;
  // At the present capacity; without an accelerator all layers.
  CpuLayers cpu_layers() const;
  // Why the model fell back to the CPU; ok if it did not.
  Status accelerator_failure() const;

  // With the batch of 1, as ONNX has it: [1, channels, height, width]. The same at every capacity.
  std::vector<uint32_t> input_shape(size_t i = 0) const;
  std::vector<uint32_t> output_shape(size_t i = 0) const;
  uint64_t input_floats(size_t i = 0) const;
  uint64_t output_floats(size_t i = 0) const;

  // What run() takes for an image: scaled, cropped and normalised as the network was trained. Fails
  // if the network does not take one image of pixels, or the image is empty or too large.
  Status prepare(const PixelView& image, float* input) const;

  // One input, already normalised, to the outputs of the network, in the order of their axes. Fails
  // only at capacity 0, or if there are several inputs or outputs.
  Status run(const float* input, float* output);
  // As many inputs and outputs as the header has.
  Status run(const float* const* inputs, float* const* outputs);
  // The same, and tells when each layer ran, in the order in which they did.
  Status run(const float* const* inputs, float* const* outputs, std::vector<LayerTime>& layers);

  // A first answer early, a better one if time allows: run_at(1, ...) is an inference of that
  // capacity, at most capacity(), and refine() takes the last one to the next capacity, computing
  // only what that adds. Its outputs are, bit for bit, those of run_at() there. Both fail if the
  // model is not refinable, refine() also if no inference came before, or one of capacity().
  Status run_at(uint32_t capacity, const float* const* inputs, float* const* outputs);
  Status refine(float* const* outputs);

  // The inference that runs now, if one does, ends after its present layer, or after what a GPU was
  // given at once, and its run() fails with StatusCode::cancelled; its outputs are left as they
  // were. Waits for nothing.
  void cancel();

 private:
  struct Impl;
  static Result<Model> make(Result<Segments> segments, const ModelOptions& options);
  explicit Model(std::unique_ptr<Impl> impl);
  Status infer(float* const* outputs, std::vector<LayerTime>* layers);
  Status run(const float* const* inputs, float* const* outputs, std::vector<LayerTime>* layers);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nestling::runtime
