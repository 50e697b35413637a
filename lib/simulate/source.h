// Sends frames to one application of a host, as a camera or a microphone does.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "runtime/host.h"

namespace nestling {

class Source {
 public:
  // `goals` say how fast frames come. The host must live longer.
  Source(runtime::Host& host, runtime::ApplicationId id, const runtime::Application& goals,
         uint64_t input_floats);
  ~Source() { stop(); }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // No frame is sent after this; those on their way may still come back, to a Source that is there.
  void stop();
  void set_max_latency(double seconds) { max_latency_s_ = seconds; }

  uint64_t late() const { return late_; }
  uint64_t sent() const { return sent_; }

 private:
  using Clock = std::chrono::steady_clock;
  void run();
  bool send();

  runtime::Host& host_;
  const runtime::ApplicationId id_;
  const double frame_rate_;
  const std::vector<float> input_;
  std::atomic<double> max_latency_s_;
  std::atomic<bool> going_ = true;
  std::atomic<int> on_their_way_ = 0;
  std::atomic<uint64_t> late_ = 0, sent_ = 0;
  Clock::time_point last_;  // the callback's: when the frame before came back
  std::thread thread_;
};

}  // namespace nestling
