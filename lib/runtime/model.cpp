#include "runtime/model.h"

#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <mutex>
#include <optional>
#include <utility>

#include "runtime/cpu.h"
#include "runtime/engine.h"
#include "runtime/tuning.h"

namespace nestling::runtime {

namespace {

std::unique_ptr<Backend> backend_of(const ModelOptions& options, uint32_t capacities) {
  if (options.accelerator == nullptr) return std::make_unique<Cpu>();
  return options.accelerator->backend(capacities);
}

}  // namespace

struct Model::Impl {
  ThreadPool pool;
  Engine engine;
  mutable std::mutex busy;
  std::atomic<bool> cancelled{false};
  uint32_t done = 0;  // the capacity of the last inference, if it can be refined
  std::optional<Tuning> tuning;
  bool may_fall;  // from the accelerator to the CPU
  Status fell_for;
  Log log;

  Impl(Segments segments, std::unique_ptr<Backend> backend, const ModelOptions& options)
      : pool(options.threads, options.workers),
        engine(std::move(segments), std::move(backend), pool.threads(), options.verify,
               options.refinable),
        may_fall(options.fall_back && options.accelerator != nullptr),
        log(options.log) {
    if (!options.tuning.empty() && options.accelerator == nullptr) tuning.emplace(options.tuning);
  }

  template <typename... Values>
  void say(const char* format, Values... values) const {
    if (log.write == nullptr) return;
    char sentence[256];
    std::snprintf(sentence, sizeof sentence, format, values...);
    log.write(log.self, sentence);
  }

  // Engine::set_capacity(), with a tuning file as is fastest on this device.
  Status set_capacity(uint32_t capacity) {
    if (!tuning || capacity == 0 || capacity > engine.available()) {
      return engine.set_capacity(capacity);
    }
    const uint64_t key = tuning_key(engine.header(), capacity, pool.threads());
    const Methods known = tuning->find(key);
    Status status = engine.set_capacity(capacity, known);
    if (!status.ok() || !known.empty()) return status;
    const Result<Methods> fastest = fastest_methods(engine, pool);
    if (!fastest.ok()) return fastest.status();
    status = engine.set_capacity(capacity, fastest.value());
    if (!status.ok()) return status;
    if (const Status kept = tuning->keep(key, fastest.value()); !kept.ok()) {
      say("%s", kept.text().c_str());
    }
    return {};
  }

  // Whether what failed may be done by the CPU instead, once.
  bool falls(const Status& status) {
    const StatusCode code = status.code();
    if (!may_fall || (code != StatusCode::device && code != StatusCode::no_memory)) return false;
    may_fall = false;
    fell_for = status;
    say("layers run on the CPU from now on: %s", status.text().c_str());
    return true;
  }
};

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Result<Model> Model::make(Result<Segments> segments, const ModelOptions& options) {
  if (!segments.ok()) return segments.status();
  if (options.refinable && !segments.value().header().causal) {
    return Status(StatusCode::bad_argument,
                  "only packages of causal growth can be refined; this is another");
  }
  if (options.refinable && options.accelerator != nullptr) {
    return Status(StatusCode::bad_argument, "models are refined on the CPU only");
  }
  auto backend = backend_of(options, segments.value().header().capacities());
  return Model(std::make_unique<Impl>(std::move(segments.value()), std::move(backend), options));
}

Result<Model> Model::open(const char* path, const ModelOptions& options) {
  return make(Segments::open(path, options.partial), options);
}

Result<Model> Model::open_descriptor(int descriptor, uint64_t offset, uint64_t bytes,
                                     const ModelOptions& options) {
  return make(Segments::open_descriptor(descriptor, offset, bytes), options);
}

Result<Model> Model::open_memory(const void* data, uint64_t bytes, const ModelOptions& options) {
  return make(Segments::open_memory(data, bytes), options);
}

const PackageHeader& Model::header() const { return impl_->engine.header(); }

WeightType Model::arithmetic() const { return arithmetic_of(header()); }

uint32_t Model::capacity() const {
  const std::lock_guard lock(impl_->busy);
  return impl_->engine.capacity();
}

uint32_t Model::available() const {
  const std::lock_guard lock(impl_->busy);
  return impl_->engine.available();
}

Status Model::refresh() {
  const std::lock_guard lock(impl_->busy);
  return impl_->engine.refresh();
}

Status Model::set_capacity(uint32_t capacity) {
  const std::lock_guard lock(impl_->busy);
  if (capacity != impl_->engine.capacity()) impl_->done = 0;
  Engine& engine = impl_->engine;
  Status status = impl_->set_capacity(capacity);
  if (impl_->falls(status)) status = engine.fall_back(capacity);
  if (status.ok()) {
    impl_->say("capacity %" PRIu32 ": %" PRIu64 " bytes of weights, %" PRIu64 " of activations",
               capacity, engine.weights_bytes(), engine.activation_bytes());
  }
  return status;
}

Status Model::accelerator_failure() const {
  const std::lock_guard lock(impl_->busy);
  return impl_->fell_for;
}

Footprint Model::footprint() const {
  const std::lock_guard lock(impl_->busy);
  const Engine& engine = impl_->engine;
  return {engine.weights_bytes(), engine.activation_bytes(), engine.places().floats * sizeof(float),
          engine.places().least * sizeof(float)};
}

CpuLayers Model::cpu_layers() const {
  const std::lock_guard lock(impl_->busy);
  return impl_->engine.cpu_layers();
}

std::vector<uint32_t> Model::input_shape(size_t i) const {
  return header().shape(header().inputs[i], 1);
}

std::vector<uint32_t> Model::output_shape(size_t i) const {
  return header().shape(header().outputs[i], 1);
}

uint64_t Model::input_floats(size_t i) const { return element_count(input_shape(i)); }

uint64_t Model::output_floats(size_t i) const { return element_count(output_shape(i)); }

Status Model::prepare(const PixelView& image, float* input) const {
  const std::vector<uint32_t> shape = input_shape();
  const PackageHeader& header = this->header();
  if (header.inputs.size() != 1 || shape.size() != 4 || header.mean.size() != shape[1]) {
    return {StatusCode::bad_argument, "the model does not take one image of pixels"};
  }
  std::vector<uint8_t> pixels(input_floats());
  const PixelTarget target{shape[1], shape[2], shape[3], header.resize};
  if (Status status = scale_pixels(image, target, pixels.data()); !status.ok()) return status;
  normalise_pixels(pixels.data(), pixels.size(), header.mean, header.deviation, input);
  return {};
}

// Runs what the engine has begun.
Status Model::infer(float* const* outputs, std::vector<LayerTime>* layers) {
  Engine& engine = impl_->engine;
  impl_->cancelled = false;
  impl_->done = 0;
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  if (layers != nullptr) layers->clear();
  while (const NodeSpec* node = engine.next()) {
    if (impl_->cancelled) {
      impl_->pool.rest();
      return {StatusCode::cancelled, "the inference was cancelled"};
    }
    const double since = layers != nullptr ? seconds() : 0;
    const size_t most = layers != nullptr ? 1 : engine.at_once();
    if (Status status = engine.step(impl_->pool, most); !status.ok()) {
      impl_->pool.rest();
      return status;
    }
    if (layers == nullptr) continue;
    layers->push_back(
        {static_cast<uint32_t>(node - engine.header().nodes.data()), since, seconds()});
  }
  engine.finish(outputs, impl_->pool);
  impl_->pool.rest();
  return {};
}

Status Model::run(const float* const* inputs, float* const* outputs,
                  std::vector<LayerTime>* layers) {
  const std::lock_guard lock(impl_->busy);
  Engine& engine = impl_->engine;
  if (engine.capacity() == 0) return {StatusCode::bad_argument, "no capacity is paged in"};
  const uint32_t capacity = engine.capacity();
  engine.begin(capacity, inputs, impl_->pool);
  Status status = infer(outputs, layers);
  if (!impl_->falls(status)) return status;
  status = engine.fall_back(capacity);
  if (!status.ok()) return status;
  engine.begin(capacity, inputs, impl_->pool);
  return infer(outputs, layers);
}

Status Model::run_at(uint32_t capacity, const float* const* inputs, float* const* outputs) {
  const std::lock_guard lock(impl_->busy);
  if (!impl_->engine.refinable())
    return {StatusCode::bad_argument, "the model was not opened refinable"};
  if (capacity == 0 || capacity > impl_->engine.capacity()) {
    return {StatusCode::bad_argument, "capacity " + std::to_string(capacity) +
                                          " is not paged in; 1 to " +
                                          std::to_string(impl_->engine.capacity()) + " are"};
  }
  impl_->engine.begin(capacity, inputs, impl_->pool);
  Status status = infer(outputs, nullptr);
  if (status.ok()) impl_->done = capacity;
  return status;
}

Status Model::refine(float* const* outputs) {
  const std::lock_guard lock(impl_->busy);
  const uint32_t done = impl_->done;
  if (done == 0) return {StatusCode::bad_argument, "there is no inference to refine"};
  if (done == impl_->engine.capacity()) {
    return {StatusCode::bad_argument, "the inference is of the largest capacity that is paged in"};
  }
  impl_->engine.refine();
  Status status = infer(outputs, nullptr);
  if (status.ok()) impl_->done = done + 1;
  return status;
}

Status Model::run(const float* const* inputs, float* const* outputs) {
  return run(inputs, outputs, nullptr);
}

Status Model::run(const float* const* inputs, float* const* outputs,
                  std::vector<LayerTime>& layers) {
  return run(inputs, outputs, &layers);
}

void Model::cancel() { impl_->cancelled = true; }

Status Model::run(const float* input, float* output) {
  if (header().inputs.size() != 1 || header().outputs.size() != 1) {
    return {StatusCode::bad_argument, "the model has not one input and one output"};
  }
  return run(&input, &output);
}

}  // namespace nestling::runtime
