#include "runtime/engine.h"

#include <string>

#include "runtime/elementwise.h"

namespace nestling::runtime {
namespace {

// Outside, elements lie in the order of the axes.
View in_order(float* data, const Tensor& t) {
  View view(data);
  size_t stride = t.elements();
  for (const uint32_t size : t.shape) view.add(size, static_cast<std::ptrdiff_t>(stride /= size));
  return view;
}

}  // namespace

uint64_t Engine::weights_bytes() const {
  uint64_t bytes = 0;
  for (uint32_t k = 1; k <= capacity_; ++k) bytes += header().segments[k - 1].bytes;
  return bytes;
}

uint64_t Engine::mapped_bytes() const {
  uint64_t bytes = 0;
  for (uint32_t k = 1; k <= header().capacities(); ++k) {
    if (segments_.weights(k) != nullptr) bytes += header().segments[k - 1].bytes;
  }
  return bytes;
}

Status Engine::check(uint32_t capacity) const {
  if (capacity <= available()) return {};
  if (capacity <= header().capacities()) {
    return {StatusCode::bad_argument, "capacity " + std::to_string(capacity) +
                                          " has not arrived yet; the largest that has is " +
                                          std::to_string(available())};
  }
  return {StatusCode::bad_argument, "there is no capacity " + std::to_string(capacity) +
                                        "; there are 1 to " +
                                        std::to_string(header().capacities())};
}

void Engine::drop() {
  plans_.clear();
  running_ = 0;
  arena_ = Arena();
  places_ = {};
  for (uint32_t k = 1; k <= header().capacities(); ++k) segments_.page_out(k);
  capacity_ = 0;
}

Status Engine::prepare(uint32_t capacity) {
  if (Status status = check(capacity); !status.ok()) return status;
  for (uint32_t k = 1; k <= capacity; ++k) {
    if (Status status = segments_.page_in(k, verify_); !status.ok()) return status;
  }
  return {};
}

Status Engine::set_capacity(uint32_t capacity) {
  if (Status status = check(capacity); !status.ok()) return status;
  if (capacity == 0) drop();
  for (uint32_t k = capacity + 1; k <= header().capacities(); ++k) segments_.page_out(k);
  if (capacity == capacity_) return {};
  if (Status status = prepare(capacity); !status.ok()) {
    drop();
    return status;
  }
  const ArenaLayout layout = lay_out(header(), capacity, threads_, refinable_);
  const uint64_t bytes = layout.floats * sizeof(float);
  plans_.clear();
  running_ = 0;
  arena_ = Arena();  // the old one goes first: there are never two
  // What kernels read behind a value is ignored, but must be there, and be numbers: zeros.
  arena_ = Arena(bytes);
  if (arena_.data() == nullptr) {
    drop();
    return {StatusCode::no_memory,
            "no memory for " + std::to_string(bytes) + " bytes of activations"};
  }
  plans_.resize(capacity);
  for (uint32_t k = refinable_ ? 1 : capacity; k <= capacity; ++k) {
    plans_[k - 1] = make_plan(segments_, k, layout, arena_.data());
  }
  places_ = layout.values;
  capacity_ = capacity;
  return {};
}

void Engine::begin(uint32_t capacity, const float* const* inputs, const ThreadPool& pool) {
  running_ = capacity;
  refining_ = false;
  next_ = 0;
  for (size_t i = 0; i < plan().inputs.size(); ++i) {
    const Tensor& to = plan().inputs[i];
    copy(in_order(const_cast<float*>(inputs[i]), to), View(to), pool);  // which is read only
  }
}

void Engine::refine() {
  ++running_;
  refining_ = true;
  next_ = 0;
}

bool Engine::step(const ThreadPool& pool) {
  const Plan& plan = this->plan();
  if (next_ == plan.steps.size()) return false;
  const size_t s = next_++;
  if (refining_ && plan.continuations[s].continues) {
    const Continuation& continuation = plan.continuations[s];
    widen(continuation.widening, continuation.added.y);
    if (!continuation.added.bundles.empty()) continuation.added.op->run(continuation.added, pool);
    return next_ < plan.steps.size();
  }
  const Step& step = plan.steps[s];
  step.op->run(step, pool);
  if (step.op->weights == Weights::none && is_bounded(step.low, step.high)) {
    const float low = step.low, high = step.high;
    float* y = step.y.data;
    pool.parallel(step.y.elements(), 4096,
                  [=](size_t first, size_t last) { clamp(low, high, y + first, last - first); });
  }
  return next_ < plan.steps.size();
}

void Engine::finish(float* const* outputs, const ThreadPool& pool) const {
  for (size_t i = 0; i < plan().outputs.size(); ++i) {
    const Tensor& from = plan().outputs[i];
    copy(View(from), in_order(outputs[i], from), pool);
  }
}

}  // namespace nestling::runtime
