#include "runtime/model.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "runtime/plan.h"
#include "runtime/thread_pool.h"

namespace nestling::runtime {

struct Model::Impl {
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };

  Segments segments;
  ModelOptions options;
  ThreadPool pool;
  mutable std::mutex busy;
  uint32_t capacity = 0;
  std::unique_ptr<float, Free> arena;
  uint64_t arena_bytes = 0;
  Plan plan;

  Impl(Segments opened, const ModelOptions& wanted)
      : segments(std::move(opened)), options(wanted), pool(wanted.threads) {}

  void drop() {
    plan = {};
    arena.reset();
    arena_bytes = 0;
    for (uint32_t k = 1; k <= segments.header().capacities(); ++k) segments.page_out(k);
    capacity = 0;
  }

  void run_step(const Step& step) {
    step.op->run(step, pool);
    const NodeSpec& node = *step.node;
    const bool bounded = std::isfinite(node.low) || std::isfinite(node.high);
    if (step.op->weights != Weights::none || !bounded) return;
    for (size_t i = 0; i < step.y.elements(); ++i) {
      step.y.data[i] = std::min(std::max(step.y.data[i], node.low), node.high);
    }
  }
};

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Result<Model> Model::make(Result<Segments> segments, const ModelOptions& options) {
  if (!segments.ok()) return segments.status();
  return Model(std::make_unique<Impl>(std::move(segments.value()), options));
}

Result<Model> Model::open(const char* path, const ModelOptions& options) {
  return make(Segments::open(path), options);
}

Result<Model> Model::open_descriptor(int descriptor, uint64_t offset, uint64_t bytes,
                                     const ModelOptions& options) {
  return make(Segments::open_descriptor(descriptor, offset, bytes), options);
}

Result<Model> Model::open_memory(const void* data, uint64_t bytes, const ModelOptions& options) {
  return make(Segments::open_memory(data, bytes), options);
}

const PackageHeader& Model::header() const { return impl_->segments.header(); }

uint32_t Model::capacity() const {
  const std::lock_guard lock(impl_->busy);
  return impl_->capacity;
}

Status Model::set_capacity(uint32_t capacity) {
  Impl& m = *impl_;
  const std::lock_guard lock(m.busy);
  if (capacity > header().capacities()) {
    return {StatusCode::bad_argument, "there is no capacity " + std::to_string(capacity) +
                                          "; there are 1 to " +
                                          std::to_string(header().capacities())};
  }
  if (capacity == 0) m.drop();
  if (capacity == m.capacity) return {};
  for (uint32_t k = capacity + 1; k <= header().capacities(); ++k) m.segments.page_out(k);
  for (uint32_t k = 1; k <= capacity; ++k) {
    if (Status status = m.segments.page_in(k, m.options.verify); !status.ok()) {
      m.drop();
      return status;
    }
  }
  const ArenaLayout layout = lay_out(header(), capacity);
  const uint64_t bytes = layout.floats * sizeof(float);
  m.plan = {};
  m.arena.reset();  // the old one first: there are never two
  m.arena.reset(static_cast<float*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64)));
  if (m.arena == nullptr) {
    m.drop();
    return {StatusCode::no_memory,
            "no memory for " + std::to_string(bytes) + " bytes of activations"};
  }
  m.arena_bytes = bytes;
  // What kernels read behind a value is ignored, but must be there, and be numbers.
  std::fill_n(m.arena.get(), layout.floats, 0.0F);
  m.plan = make_plan(m.segments, capacity, layout, m.arena.get());
  m.capacity = capacity;
  return {};
}

Footprint Model::footprint() const {
  const std::lock_guard lock(impl_->busy);
  Footprint footprint{0, impl_->arena_bytes};
  for (uint32_t k = 1; k <= impl_->capacity; ++k) {
    footprint.weights_bytes += header().segments[k - 1].bytes;
  }
  return footprint;
}

std::vector<uint32_t> Model::input_shape(size_t i) const {
  return header().shape(header().inputs[i], 1);
}

std::vector<uint32_t> Model::output_shape(size_t i) const {
  return header().shape(header().outputs[i], 1);
}

uint64_t Model::input_floats(size_t i) const { return element_count(input_shape(i)); }

uint64_t Model::output_floats(size_t i) const { return element_count(output_shape(i)); }

Status Model::run(const float* const* inputs, float* const* outputs) {
  Impl& m = *impl_;
  const std::lock_guard lock(m.busy);
  if (m.capacity == 0) return {StatusCode::bad_argument, "no capacity is paged in"};
  // Outside, elements lie in the order of the axes.
  const auto in_order = [](float* data, const Tensor& t) {
    View view(data);
    size_t stride = t.elements();
    for (const uint32_t size : t.shape) view.add(size, static_cast<std::ptrdiff_t>(stride /= size));
    return view;
  };
  for (size_t i = 0; i < m.plan.inputs.size(); ++i) {
    const Tensor& to = m.plan.inputs[i];
    copy(in_order(const_cast<float*>(inputs[i]), to), View(to));  // which is read only
  }
  for (const Step& step : m.plan.steps) m.run_step(step);
  for (size_t i = 0; i < m.plan.outputs.size(); ++i) {
    const Tensor& from = m.plan.outputs[i];
    copy(View(from), in_order(outputs[i], from));
  }
  return {};
}

Status Model::run(const float* input, float* output) {
  if (header().inputs.size() != 1 || header().outputs.size() != 1) {
    return {StatusCode::bad_argument, "the model has not one input and one output"};
  }
  return run(&input, &output);
}

}  // namespace nestling::runtime
