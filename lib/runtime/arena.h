// The memory of a model's activations.
#pragma once

#include <cstdint>
#include <sys/mman.h>
#include <utility>

namespace nestling::runtime {

// Zeros, aligned to a page, straight from the system and back to it: what is freed is free for
// others at once. Movable, not copyable.
class Arena {
 public:
  Arena() = default;
  // data() is null if there is no memory. Its pages are there from the beginning, so that no
  // inference waits for them.
  explicit Arena(uint64_t bytes) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef MAP_POPULATE
    flags |= MAP_POPULATE;
#endif
    void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (address == MAP_FAILED) return;
    data_ = static_cast<float*>(address);
    bytes_ = bytes;
  }
  Arena(Arena&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Arena& operator=(Arena&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Arena() {
    if (data_ != nullptr) ::munmap(data_, bytes_);
  }

  float* data() const { return data_; }
  uint64_t bytes() const { return bytes_; }

 private:
  float* data_ = nullptr;
  uint64_t bytes_ = 0;
};

}  // namespace nestling::runtime
