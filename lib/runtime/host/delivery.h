// Calls the callbacks of one application, one after the other, in a thread of their own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "runtime/host.h"

namespace nestling::runtime {

class Delivery {
 public:
  static std::unique_ptr<Delivery> make();  // null if there can be no more threads
  Delivery();
  ~Delivery();  // after all that was posted
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  void post(FrameCallback callback, Frame frame);
  uint64_t returned() const { return returned_; }  // callbacks that are over
  uint64_t threw() const { return threw_; }        // of those, by an exception
  bool is_this_thread() const { return std::this_thread::get_id() == thread_.get_id(); }

 private:
  struct Call {
    FrameCallback callback;
    Frame frame;
  };
  void run();

  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<Call> calls_;
  bool over_ = false;
  std::atomic<uint64_t> returned_ = 0, threw_ = 0;
  std::thread thread_;
};

}  // namespace nestling::runtime
