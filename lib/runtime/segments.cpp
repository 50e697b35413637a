#include "runtime/segments.h"

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

Result<Segments> Segments::open(const char* path) {
  const std::string name = path;
  Segments segments(::open(path, O_RDONLY | O_CLOEXEC));
  struct stat file {};
  if (segments.file_ < 0 || ::fstat(segments.file_, &file) != 0) {
    return Status(StatusCode::io, "cannot open " + name + ": " + std::strerror(errno));
  }
  if (!S_ISREG(file.st_mode)) return Status(StatusCode::io, name + " is not a regular file");
  char preamble[kPreambleBytes];
  uint32_t version = 0, bytes = 0;
  uint64_t expected = 0;
  if (!read_at(segments.file_, preamble, sizeof preamble, 0) ||
      std::memcmp(preamble, kMagic, sizeof kMagic) != 0) {
    return Status(StatusCode::bad_format, name + " is not a .nest package");
  }
  std::memcpy(&version, preamble + 8, 4);
  std::memcpy(&bytes, preamble + 12, 4);
  std::memcpy(&expected, preamble + 16, 8);
  if (version != kFormatVersion) {
    return Status(StatusCode::bad_format,
                  name + " is of format version " + std::to_string(version) +
                      "; this runtime reads version " + std::to_string(kFormatVersion));
  }
  if (bytes > kMaxHeaderBytes || bytes > static_cast<uint64_t>(file.st_size)) {
    return Status(StatusCode::bad_format, name + " is cut short or damaged");
  }
  std::vector<char> text(bytes);
  if (!read_at(segments.file_, text.data(), bytes, kPreambleBytes)) {
    return Status(StatusCode::bad_format, name + " is cut short or damaged");
  }
  if (checksum(text.data(), text.size()) != expected) {
    return Status(StatusCode::bad_checksum, name + ": the header is damaged");
  }
  auto header = read_header(text.data(), text.size(), static_cast<uint64_t>(file.st_size));
  if (!header.ok()) return Status(header.status().code(), name + ": " + header.status().text());
  segments.header_ = std::move(header.value());
  segments.mappings_.resize(segments.header_.capacities());
  return segments;
}

Segments::Segments(Segments&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      header_(std::move(other.header_)),
      mappings_(std::exchange(other.mappings_, {})) {}

Segments::~Segments() {
  for (uint32_t k = 1; k <= mappings_.size(); ++k) page_out(k);
  if (file_ >= 0) ::close(file_);
}

Status Segments::page_in(uint32_t capacity, bool verify) {
  const SegmentSpec& segment = header_.segments[capacity - 1];
  Mapping& mapping = mappings_[capacity - 1];
  if (mapping.weights != nullptr || segment.bytes == 0) return {};
  // Where pages are larger than a segment's alignment, the mapping begins a little before it.
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t before = segment.offset % page;
  void* address = ::mmap(nullptr, segment.bytes + before, PROT_READ, MAP_PRIVATE, file_,
                         static_cast<off_t>(segment.offset - before));
  if (address == MAP_FAILED) {
    return {StatusCode::no_memory, "cannot map the weights of capacity " +
                                       std::to_string(capacity) + ": " + std::strerror(errno)};
  }
  const char* data = static_cast<const char*>(address) + before;
  mapping = {address, segment.bytes + before, reinterpret_cast<const float*>(data)};
  if (verify && checksum(data, segment.bytes) != segment.checksum) {
    page_out(capacity);
    return {StatusCode::bad_checksum,
            "the weights of capacity " + std::to_string(capacity) + " are damaged"};
  }
  return {};
}

void Segments::page_out(uint32_t capacity) {
  Mapping& mapping = mappings_[capacity - 1];
  if (mapping.address != nullptr) ::munmap(mapping.address, mapping.bytes);
  mapping = {};
}

}  // namespace nestling::runtime
