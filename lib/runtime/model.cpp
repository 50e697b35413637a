#include "runtime/model.h"

#include <algorithm>
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
    const NodeSpec& node = *step.node;
    const Activation &x = step.inputs[0], &y = step.task.y;
    const size_t pixels = y.height * y.width;
    switch (node.op) {
      case OpKind::conv:
        pool.parallel(pixels, conv_tile(), [&](size_t a, size_t b) { conv(step.task, a, b); });
        break;
      case OpKind::depthwise:
        pool.parallel(pixels, conv_tile(), [&](size_t a, size_t b) { depthwise(step.task, a, b); });
        break;
      case OpKind::affine:
        pool.parallel(pixels, 16, [&](size_t a, size_t b) { affine(step.task, a, b); });
        break;
      case OpKind::max_pool:
        pool.parallel(pixels, 8, [&](size_t a, size_t b) { max_pool(node, x, y, a, b); });
        break;
      case OpKind::average_pool:
        pool.parallel(pixels, 8, [&](size_t a, size_t b) { average_pool(node, x, y, a, b); });
        break;
      case OpKind::add:
        add(node, x, step.inputs[1], y);
        break;
      case OpKind::clamp:
        clamp(node, x, y);
        break;
      case OpKind::softmax:
        softmax(x, y);
        break;
      case OpKind::concat: {
        size_t offset = 0;
        for (const Activation& part : step.inputs) {
          for (size_t p = 0; p < pixels; ++p) {
            float* to = y.data + p * y.channels + offset;
            std::copy_n(part.data + p * part.channels, part.channels, to);
          }
          offset += part.channels;
        }
        for (size_t i = 0; i < pixels * y.channels; ++i) {
          y.data[i] = std::min(std::max(y.data[i], node.low), node.high);
        }
        break;
      }
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

uint64_t Model::input_floats() const {
  const ValueSpec& value = header().values[header().input];
  return uint64_t{value.height} * value.width * header().channels(header().input, 1);
}

uint64_t Model::output_floats() const {
  const ValueSpec& value = header().values[header().output];
  return uint64_t{value.height} * value.width * header().channels(header().output, 1);
}

Status Model::run(const float* input, float* output) {
  Impl& m = *impl_;
  const std::lock_guard lock(m.busy);
  if (m.capacity == 0) return {StatusCode::bad_argument, "no capacity is paged in"};
  // [channels, height, width] outside, [height, width, channels] inside.
  const Activation &in = m.plan.input, &out = m.plan.output;
  const size_t area = in.height * in.width;
  for (size_t c = 0; c < in.channels; ++c) {
    for (size_t p = 0; p < area; ++p) in.data[p * in.channels + c] = input[c * area + p];
  }
  for (const Step& step : m.plan.steps) m.run_step(step);
  const size_t out_area = out.height * out.width;
  for (size_t c = 0; c < out.channels; ++c) {
    for (size_t p = 0; p < out_area; ++p) output[c * out_area + p] = out.data[p * out.channels + c];
  }
  return {};
}

}  // namespace nestling::runtime
