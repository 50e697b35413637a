#include "runtime/engine.h"

#include <algorithm>
#include <string>

#include "runtime/cpu.h"

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

void Engine::page_out(uint32_t from) {
  for (uint32_t k = from; k <= header().capacities(); ++k) {
    backend_->page_out(k);
    segments_.page_out(k);
  }
}

// Of segments that are mapped.
Status Engine::give(uint32_t first, uint32_t last) {
  for (uint32_t k = first; k <= last; ++k) {
    Status status = backend_->page_in(k, segments_.weights(k), header().segments[k - 1].bytes);
    if (!status.ok()) return status;
  }
  return {};
}

void Engine::drop() {
  plans_.clear();
  running_ = 0;
  backend_->reserve(0);
  arena_bytes_ = 0;
  places_ = {};
  page_out(1);
  capacity_ = 0;
}

Status Engine::prepare(uint32_t capacity) {
  if (Status status = check(capacity); !status.ok()) return status;
  for (uint32_t k = 1; k <= capacity; ++k) {
    if (Status status = segments_.page_in(k, verify_); !status.ok()) return status;
  }
  return {};
}

Status Engine::set_capacity(uint32_t capacity, const Methods& wanted) {
  if (Status status = check(capacity); !status.ok()) return status;
  if (capacity == 0) drop();
  page_out(capacity + 1);
  if (capacity == capacity_ && (capacity == 0 || wanted == wanted_)) return {};
  Status status = prepare(capacity);
  if (status.ok()) status = give(capacity_ + 1, capacity);
  if (!status.ok()) {
    drop();
    return status;
  }
  const ArenaLayout layout =
      lay_out(header(), capacity, threads_, refinable_, backend_->takes_pairs(), wanted);
  const uint64_t bytes = layout.floats * sizeof(float);
  plans_.clear();
  running_ = 0;
  float* arena = backend_->reserve(bytes);
  if (arena == nullptr) {
    drop();
    return {StatusCode::no_memory,
            "no memory for " + std::to_string(bytes) + " bytes of activations"};
  }
  arena_bytes_ = bytes;
  plans_.resize(capacity);
  for (uint32_t k = refinable_ ? 1 : capacity; k <= capacity; ++k) {
    plans_[k - 1] = make_plan(segments_, k, layout, arena);
  }
  status = backend_->prepare(plans_.back());
  if (!status.ok()) {
    drop();
    return status;
  }
  places_ = layout.values;
  wanted_ = wanted;
  methods_ = layout.methods;
  capacity_ = capacity;
  return {};
}

Status Engine::fall_back(uint32_t capacity) {
  drop();
  backend_ = std::make_unique<Cpu>();
  return set_capacity(capacity);
}

CpuLayers Engine::cpu_layers() const {
  CpuLayers layers;
  if (capacity_ == 0) return layers;
  const Plan& plan = plans_[capacity_ - 1];
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    if (!backend_->on_cpu(s)) continue;
    const Step& step = plan.steps[s];
    layers.nodes.push_back(static_cast<uint32_t>(step.node - header().nodes.data()));
    layers.bytes += step.y.elements() * sizeof(float);
    for (const Tensor& input : step.inputs) layers.bytes += input.elements() * sizeof(float);
  }
  return layers;
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

Status Engine::step(const ThreadPool& pool, size_t most) {
  const Plan& plan = this->plan();
  const size_t first = next_;
  next_ += std::min(most, plan.steps.size() - first);
  if (!refining_) return backend_->run(plan, first, next_, pool);
  for (size_t s = first; s < next_; ++s) {
    const Continuation& continuation = plan.continuations[s];
    if (!continuation.continues) {
      if (Status status = backend_->run(plan, s, s + 1, pool); !status.ok()) return status;
      continue;
    }
    widen(continuation.widening, plan.steps[s].y);
    for (const Step& added : continuation.added) run_step(added, pool);
  }
  return {};
}

void Engine::finish(float* const* outputs, const ThreadPool& pool) const {
  for (size_t i = 0; i < plan().outputs.size(); ++i) {
    const Tensor& from = plan().outputs[i];
    copy(View(from), in_order(outputs[i], from), pool);
  }
}

}  // namespace nestling::runtime
