#include "runtime/segments.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "runtime/checksum.h"

namespace nestling::runtime {
namespace {

bool read_at(int file, void* to, size_t bytes, uint64_t offset) {
  auto* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t done = ::pread(file, at, bytes, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    at += done;
    offset += static_cast<uint64_t>(done);
    bytes -= static_cast<size_t>(done);
  }
  return true;
}

}  // namespace

Result<Segments> Segments::open(const char* path, bool partial) {
  const std::string name = path;
  Segments segments;
  segments.partial_ = partial;
  segments.file_ = ::open(path, O_RDONLY | O_CLOEXEC);
  struct stat file {};
  if (segments.file_ < 0 || ::fstat(segments.file_, &file) != 0) {
    return Status(StatusCode::io, "cannot open " + name + ": " + std::strerror(errno));
  }
  if (!S_ISREG(file.st_mode)) return Status(StatusCode::io, name + " is not a regular file");
  segments.bytes_ = static_cast<uint64_t>(file.st_size);
  return read(std::move(segments), name);
}

Result<Segments> Segments::open_descriptor(int descriptor, uint64_t offset, uint64_t bytes) {
  const std::string name = "the package at offset " + std::to_string(offset);
  Segments segments;
  segments.file_ = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  struct stat file {};
  if (segments.file_ < 0 || ::fstat(segments.file_, &file) != 0) {
    return Status(StatusCode::io,
                  "cannot use the file descriptor: " + std::string(std::strerror(errno)));
  }
  const auto size = static_cast<uint64_t>(file.st_size);
  if (offset % alignof(float) != 0 || offset > size || bytes > size - offset) {
    return Status(StatusCode::bad_argument,
                  name + " does not lie at a multiple of 4 inside its file");
  }
  segments.offset_ = offset;
  segments.bytes_ = bytes;
  return read(std::move(segments), name);
}

Result<Segments> Segments::open_memory(const void* data, uint64_t bytes) {
  if (reinterpret_cast<uintptr_t>(data) % alignof(float) != 0) {
    return Status(StatusCode::bad_argument, "the package in memory is not aligned to 4 bytes");
  }
  Segments segments;
  segments.memory_ = static_cast<const char*>(data);
  segments.bytes_ = bytes;
  return read(std::move(segments), "the package in memory");
}

std::optional<Segments::Stamp> Segments::stamp_of(int file) {
  struct stat now {};
  if (::fstat(file, &now) != 0) return std::nullopt;
#ifdef __APPLE__
  const struct timespec& changed = now.st_mtimespec;
#else
  const struct timespec& changed = now.st_mtim;
#endif
  return Stamp{static_cast<uint64_t>(now.st_size), changed.tv_sec, changed.tv_nsec};
}

Status Segments::intact(uint32_t capacity) const {
  if (memory_ != nullptr) return {};
  const auto damaged = [](const Mapping& mapping) { return mapping.watched.lost(); };
  const std::optional<Stamp> now = stamp_of(file_);
  if (now && (now == opened_ || (partial_ && now->bytes >= opened_.bytes)) &&
      std::none_of(mappings_.begin(), mappings_.begin() + capacity, damaged)) {
    return {};
  }
  return {StatusCode::io, "the package changed on disk while it was in use"};
}

uint32_t Segments::available() const {
  uint32_t count = 0;
  for (const SegmentSpec& segment : header_.segments) {
    if (segment.offset > bytes_ || segment.bytes > bytes_ - segment.offset) break;
    ++count;
  }
  return count;
}

Status Segments::refresh() {
  if (!partial_) return {};
  if (Status status = intact(0); !status.ok()) return status;
  opened_ = stamp_of(file_).value_or(opened_);
  bytes_ = opened_.bytes;
  return {};
}

Result<Segments> Segments::read(Segments segments, const std::string& name) {
  const auto bad = [&](StatusCode code, const char* what) { return Status(code, name + what); };
  if (segments.memory_ == nullptr) {
    const auto stamp = stamp_of(segments.file_);
    if (!stamp) return bad(StatusCode::io, " cannot be read");
    segments.opened_ = *stamp;
  }
  const auto copy = [&](void* to, size_t bytes, uint64_t offset) {
    if (offset > segments.bytes_ || bytes > segments.bytes_ - offset) return false;
    if (segments.memory_ == nullptr) {
      return read_at(segments.file_, to, bytes, segments.offset_ + offset);
    }
    std::memcpy(to, segments.memory_ + offset, bytes);
    return true;
  };
  char preamble[kPreambleBytes];
  uint32_t version = 0, length = 0;
  uint64_t expected = 0;
  if (!copy(preamble, sizeof preamble, 0) || std::memcmp(preamble, kMagic, sizeof kMagic) != 0) {
    return bad(StatusCode::bad_format, " is not a .nest package");
  }
  std::memcpy(&version, preamble + 8, 4);
  std::memcpy(&length, preamble + 12, 4);
  std::memcpy(&expected, preamble + 16, 8);
  if (version != kVersion) {
    return Status(StatusCode::bad_format, name + " is of format version " +
                                              std::to_string(version) + "; this runtime reads " +
                                              std::to_string(kVersion));
  }
  const auto cut_short = [&] { return bad(StatusCode::bad_format, " is cut short or damaged"); };
  if (length > kMaxHeaderBytes || length > segments.bytes_) return cut_short();
  std::vector<char> text(length);
  if (!copy(text.data(), length, kPreambleBytes)) return cut_short();
  if (checksum(text.data(), text.size()) != expected) {
    return bad(StatusCode::bad_checksum, ": the header is damaged");
  }
  // Of what still arrives the end is not known.
  constexpr uint64_t kMostBytes = uint64_t{1} << 40;
  auto header =
      read_header(text.data(), text.size(), segments.partial_ ? kMostBytes : segments.bytes_);
  if (!header.ok()) return Status(header.status().code(), name + ": " + header.status().text());
  segments.header_ = std::move(header.value());
  segments.mappings_.resize(segments.header_.capacities());
  segments.verified_.resize(segments.header_.capacities());
  return segments;
}

Segments::Segments(Segments&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      memory_(other.memory_),
      opened_(other.opened_),
      offset_(other.offset_),
      bytes_(other.bytes_),
      partial_(other.partial_),
      header_(std::move(other.header_)),
      mappings_(std::exchange(other.mappings_, {})),
      verified_(std::move(other.verified_)) {}

Segments::~Segments() {
  for (uint32_t k = 1; k <= mappings_.size(); ++k) page_out(k);
  if (file_ >= 0) ::close(file_);
}

Status Segments::page_in(uint32_t capacity, bool verify) {
  const SegmentSpec& segment = header_.segments[capacity - 1];
  Mapping& mapping = mappings_[capacity - 1];
  if (mapping.weights != nullptr || segment.bytes == 0) return {};
  if (Status status = intact(0); !status.ok()) return status;
  const char* data = nullptr;
  if (memory_ != nullptr) {
    data = memory_ + segment.offset;
    mapping.weights = reinterpret_cast<const float*>(data);
  } else {
    // Where pages are larger than a segment's alignment, the mapping begins a little before it.
    const uint64_t offset = offset_ + segment.offset;
    const uint64_t before = offset % static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    const uint64_t bytes = segment.bytes + before;
    // More than 32 bits can address is not asked for, which would map the beginning.
    void* address = MAP_FAILED;
    errno = ENOMEM;
    if (static_cast<size_t>(bytes) == bytes) {
      address = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file_,
                       static_cast<off_t>(offset - before));
    }
    if (address == MAP_FAILED) {
      return {StatusCode::no_memory, "cannot map the weights of capacity " +
                                         std::to_string(capacity) + ": " + std::strerror(errno)};
    }
    // The whole segment is wanted now, of which the kernel takes little for one call, and nothing
    // behind it, which it would read ahead.
    constexpr uint64_t kAtOnce = uint64_t{128} << 10;
    for (uint64_t at = 0; at < bytes; at += kAtOnce) {
      ::madvise(static_cast<char*>(address) + at, std::min(kAtOnce, bytes - at), MADV_WILLNEED);
    }
    ::madvise(address, bytes, MADV_RANDOM);
    data = static_cast<const char*>(address) + before;
    mapping = {address, bytes, reinterpret_cast<const float*>(data),
               WatchedMapping(address, bytes)};
  }
  if (!verify || verified_[capacity - 1]) {
#ifdef MADV_POPULATE_READ  // before Linux 5.14 the first inference waits for the pages
    if (mapping.address != nullptr) {
      ::madvise(mapping.address, mapping.bytes, MADV_POPULATE_READ);
    }
#endif
    return {};
  }
  if (checksum(data, segment.bytes) != segment.checksum) {
    page_out(capacity);
    return {StatusCode::bad_checksum,
            "the weights of capacity " + std::to_string(capacity) + " are damaged"};
  }
  verified_[capacity - 1] = !partial_;  // what still arrives may change
  return {};
}

void Segments::page_out(uint32_t capacity) {
  Mapping& mapping = mappings_[capacity - 1];
  mapping.watched = {};  // first: its addresses may be another mapping's a moment later
  if (mapping.address != nullptr) ::munmap(mapping.address, mapping.bytes);
  mapping = {};
}

}  // namespace nestling::runtime
