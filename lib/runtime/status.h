// How the runtime reports failures: it throws no exceptions.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace nestling::runtime {

enum class StatusCode {
  ok = 0,
  io = 1,            // a file cannot be opened, read or mapped
  bad_format = 2,    // not a package, of another version, or it contradicts itself
  bad_checksum = 3,  // damaged
  bad_argument = 4,  // the caller asked for something that is not there
  no_memory = 5,
  busy = 6,        // too much is on its way; later
  not_served = 7,  // the scheduler gives it nothing now
  cancelled = 8,   // the caller wanted no answer any more
  device = 9,      // there is no such GPU, or it fails
};

class [[nodiscard]] Status {
 public:
  Status() = default;  // ok
  Status(StatusCode code, std::string text) : code_(code), text_(std::move(text)) {}

  bool ok() const { return code_ == StatusCode::ok; }
  StatusCode code() const { return code_; }
  const std::string& text() const { return text_; }  // one sentence for a user

 private:
  StatusCode code_ = StatusCode::ok;
  std::string text_;
};

// A value, or why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }
  T& value() { return *value_; }  // ok() must hold
  const T& value() const { return *value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace nestling::runtime
