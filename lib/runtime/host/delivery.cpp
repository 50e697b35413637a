#include "runtime/host/delivery.h"

#include <exception>
#include <utility>

namespace nestling::runtime {

std::unique_ptr<Delivery> Delivery::make() {
  try {
    return std::make_unique<Delivery>();
  } catch (const std::exception&) {
    return nullptr;
  }
}

Delivery::Delivery() : thread_([this] { run(); }) {}

Delivery::~Delivery() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  more_.notify_one();
  thread_.join();
}

void Delivery::post(FrameCallback callback, Frame frame) {
  {
    const std::lock_guard lock(mutex_);
    calls_.push_back({std::move(callback), std::move(frame)});
  }
  more_.notify_one();
}

void Delivery::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    more_.wait(lock, [&] { return over_ || !calls_.empty(); });
    if (calls_.empty()) return;
    Call call = std::move(calls_.front());
    calls_.pop_front();
    lock.unlock();
    // The runtime throws nothing; callbacks are others' code.
    try {
      if (call.callback) call.callback(std::move(call.frame));
    } catch (...) {
      ++threw_;
    }
    call = {};  // what the callback holds goes before it counts as over
    ++returned_;
    lock.lock();
  }
}

}  // namespace nestling::runtime
