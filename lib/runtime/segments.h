// The file of a package: its header, and its segments as they are paged in and out.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/header.h"

namespace nestling::runtime {

// Owns the open file and the mappings. Movable, not copyable.
class Segments {
 public:
  static Result<Segments> open(const char* path);

  Segments(Segments&& other) noexcept;
  Segments& operator=(Segments&&) = delete;
  ~Segments();

  const PackageHeader& header() const { return header_; }

  // Maps the segment of `capacity`, and with `verify` compares its checksum.
  Status page_in(uint32_t capacity, bool verify);
  void page_out(uint32_t capacity);

  // The weights of a segment that is paged in.
  const float* weights(uint32_t capacity) const { return mappings_[capacity - 1].weights; }

 private:
  struct Mapping {
    void* address = nullptr;
    uint64_t bytes = 0;
    const float* weights = nullptr;
  };
  explicit Segments(int file) : file_(file) {}

  int file_;
  PackageHeader header_;
  std::vector<Mapping> mappings_;
};

}  // namespace nestling::runtime
