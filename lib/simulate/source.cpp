#include "simulate/source.h"

#include <algorithm>

namespace nestling {

Source::Source(runtime::Host& host, runtime::ApplicationId id, const runtime::Application& goals,
               uint64_t input_floats)
    : host_(host),
      id_(id),
      frame_rate_(goals.frame_rate),
      input_(input_floats, 0.5F),
      max_latency_s_(goals.max_latency_s),
      last_(Clock::now()),
      thread_([this] { run(); }) {}

void Source::stop() {
  going_ = false;
  if (thread_.joinable()) thread_.join();
}

bool Source::send() {
  const float* input = input_.data();
  ++sent_;
  ++on_their_way_;
  const runtime::Status status = host_.submit(id_, &input, [this](const runtime::Frame& frame) {
    const Clock::time_point now = Clock::now();
    if (frame.status.ok()) {
      const double seconds =
          frame_rate_ > 0 ? frame.latency_s : std::chrono::duration<double>(now - last_).count();
      if (seconds > max_latency_s_) ++late_;
    }
    last_ = now;
    if (frame_rate_ <= 0 && frame.status.ok() && going_) send();
    --on_their_way_;
  });
  if (!status.ok()) --on_their_way_;
  return status.ok();
}

void Source::run() {
  using std::chrono::milliseconds;
  Clock::time_point next = Clock::now();
  while (going_) {
    const Clock::time_point now = Clock::now();
    if (frame_rate_ <= 0) {
      // The callbacks go on by themselves, once they have begun.
      while (going_ && on_their_way_ < 2 && send()) {
      }
      next = now + milliseconds(5);
    } else if (now >= next) {
      send();
      next += std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(1 / frame_rate_));
    }
    std::this_thread::sleep_until(std::min(next, now + milliseconds(50)));  // and looks at going_
  }
}

}  // namespace nestling
