// The memory of a model's activations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace nestling::runtime {

// Zeros, aligned to a cache line, straight from the system and back to it: what is freed is free
// for others at once. A page that nobody may touch lies behind the last. Movable, not copyable.
class Arena {
 public:
  Arena() = default;
  // Of whole cache lines. data() is null if there is no memory. Its pages are there from the
  // beginning, so that no inference waits for them.
  explicit Arena(uint64_t bytes) {
    const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    const uint64_t whole = (bytes + page - 1) / page * page;
    const uint64_t slack = whole < kHugePage ? 0 : kHugePage - page;
    const uint64_t mapped = slack + whole + page;
    if (static_cast<size_t>(mapped) != mapped) return;  // more than 32 bits can address
    void* all = ::mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) return;
    // Begins where a huge page could, if it is large enough for one.
    const uint64_t before = slack & (0 - reinterpret_cast<uintptr_t>(all));
    char* begin = static_cast<char*>(all) + before;
    if (::mprotect(begin, whole, PROT_READ | PROT_WRITE) != 0) {
      ::munmap(all, mapped);
      return;
    }
#ifdef MADV_HUGEPAGE
    ::madvise(begin, whole, MADV_HUGEPAGE);  // in a third of the time, where there are such pages
#endif
#ifdef MADV_POPULATE_WRITE
    if (::madvise(begin, whole, MADV_POPULATE_WRITE) != 0)
#endif
    {
      for (uint64_t at = 0; at < whole; at += page) static_cast<volatile char*>(begin)[at] = 0;
    }
    mapping_ = all;
    mapped_ = mapped;
    data_ = reinterpret_cast<float*>(begin + (whole - bytes));
    bytes_ = bytes;
  }
  Arena(Arena&& other) noexcept { *this = std::move(other); }
  Arena& operator=(Arena&& other) noexcept {
    std::swap(mapping_, other.mapping_);
    std::swap(mapped_, other.mapped_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Arena() {
    if (mapping_ != nullptr) ::munmap(mapping_, mapped_);
  }

  float* data() const { return data_; }
  uint64_t bytes() const { return bytes_; }

 private:
  static constexpr uint64_t kHugePage = uint64_t{2} << 20;

  void* mapping_ = nullptr;
  uint64_t mapped_ = 0;
  float* data_ = nullptr;
  uint64_t bytes_ = 0;
};

}  // namespace nestling::runtime
