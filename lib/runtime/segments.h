// The file of a package: its header, and its segments as they are paged in and out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/header.h"
#include "runtime/lost_file.h"

namespace nestling::runtime {

// Owns the open file and the mappings; of a package in memory, nothing. Movable, not copyable.
class Segments {
 public:
  // See Model for the three.
  static Result<Segments> open(const char* path, bool partial = false);
  static Result<Segments> open_descriptor(int descriptor, uint64_t offset, uint64_t bytes);
  static Result<Segments> open_memory(const void* data, uint64_t bytes);

  Segments(Segments&& other) noexcept;
  Segments& operator=(Segments&&) = delete;
  ~Segments();

  const PackageHeader& header() const { return header_; }

  // How many capacities are there, from the smallest on: all, but for a package that still arrives.
  uint32_t available() const;
  // Looks how far such a package has come.
  Status refresh();

  // Maps the segment of `capacity`, and with `verify` compares its checksum, once: a file must stay
  // as it is.
  Status page_in(uint32_t capacity, bool verify);
  void page_out(uint32_t capacity);

  // Whether the file has the length and the time of change that it was opened with, or, if it still
  // arrives, is no shorter, and no page of the segments up to `capacity` was missing.
  Status intact(uint32_t capacity) const;

  // The weights of a segment that is paged in.
  const float* weights(uint32_t capacity) const { return mappings_[capacity - 1].weights; }

 private:
  struct Mapping {
    void* address = nullptr;  // none where the package is in memory
    uint64_t bytes = 0;
    const float* weights = nullptr;
    WatchedMapping watched{};
  };
  // What a file that is not written to keeps.
  struct Stamp {
    uint64_t bytes = 0;
    int64_t changed_s = 0, changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  static std::optional<Stamp> stamp_of(int file);
  Segments() = default;
  static Result<Segments> read(Segments segments, const std::string& name);

  int file_ = -1;
  const char* memory_ = nullptr;  // instead of a file
  Stamp opened_;
  uint64_t offset_ = 0;  // of the package in the file
  uint64_t bytes_ = 0;   // of the package, or what is there of it
  bool partial_ = false;
  PackageHeader header_;
  std::vector<Mapping> mappings_;
  std::vector<bool> verified_;  // by capacity
};

}  // namespace nestling::runtime
