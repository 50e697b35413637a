// One application of a host.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/engine.h"
#include "runtime/host.h"
#include "runtime/host/delivery.h"
#include "runtime/host/feedback.h"

namespace nestling::runtime {

using Clock = std::chrono::steady_clock;  // which nobody sets

inline double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

struct PendingFrame {
  Frame frame;
  std::vector<std::vector<float>> inputs;
  FrameCallback callback;
  Clock::time_point submitted;
  double busy_s = 0;
};

// Everything is guarded by the host's mutex, but for the engine and the running frame, which belong
// to whoever set `held`; `preparing` is beside that.
struct Client {
  Client(ApplicationId number, Application wanted, Segments segments,
         std::unique_ptr<Backend> backend, std::vector<Methods> tuned, size_t threads, bool verify)
      : id(number),
        goals(std::move(wanted)),
        engine(std::move(segments), std::move(backend), threads, verify),
        methods(std::move(tuned)) {}

  ApplicationId id;
  Application goals;
  Engine engine;
  const std::vector<Methods> methods;  // by capacity, empty where nothing is known
  std::unique_ptr<Delivery> delivery;

  std::deque<PendingFrame> waiting;
  std::optional<PendingFrame> running;
  uint64_t accepted = 0;
  bool held = false;       // the processor or the manager is at the engine
  bool yielding = false;   // begins no other inference: its capacity is about to change
  bool preparing = false;  // the manager pages in ahead
  bool leaving = false;

  int target = 0;             // as decided
  int capacity = 0;           // the engine's
  int ahead = 0;              // paged in up to this capacity
  uint64_t memory_bytes = 0;  // the engine's
  Feedback feedback;
  ApplicationReport told;  // counts, assignment and status
  double accuracy_sum = 0;

  // Of the memory: a capacity above what is decided, or what was paged in for one.
  bool has_too_much() const { return !leaving && target < std::max(capacity, ahead); }
  // Shares may be 0, which a fair queue does not know.
  double weight() const { return std::max(told.assignment.share, 0.01); }
  bool failed() const { return !told.status.ok(); }
  uint64_t on_their_way() const { return accepted - delivery->returned(); }
  // Whether the processor has something to do for it.
  bool ready() const {
    if (held || capacity == 0 || failed() || leaving) return false;
    return running || (!yielding && !waiting.empty());
  }

  // Ends a frame without outputs.
  void give_up(PendingFrame pending, Status why) {
    pending.frame.status = std::move(why);
    ++told.failed;
    delivery->post(std::move(pending.callback), std::move(pending.frame));
  }
  void give_up_waiting(const Status& why) {
    for (PendingFrame& pending : waiting) give_up(std::move(pending), why);
    waiting.clear();
  }
  void give_up_all(const Status& why) {
    if (running) give_up(std::move(*running), why);
    running.reset();
    give_up_waiting(why);
  }
};

}  // namespace nestling::runtime
