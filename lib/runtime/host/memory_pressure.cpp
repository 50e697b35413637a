#include "runtime/host/memory_pressure.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

namespace nestling::runtime {
namespace {

// The beginning of a small file of the kernel; empty if it cannot be read.
std::string read(const std::string& path) {
  const auto close = [](std::FILE* open) { std::fclose(open); };
  const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "rbe"), close);
  if (file == nullptr) return {};
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

// "max", or anything else that is not a number, is none.
std::optional<uint64_t> number(const std::string& text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  return std::strtoull(text.c_str(), nullptr, 10);
}

// Of the line "some avg10=0.00 avg60=0.00 avg300=0.00 total=123".
std::optional<uint64_t> stalled_us(const std::string& path) {
  const std::string text = read(path);
  const size_t at = text.find("total=");
  if (text.compare(0, 5, "some ") != 0 || at == std::string::npos) return std::nullopt;
  return number(text.substr(at + 6));
}

}  // namespace

MemoryPressure::MemoryPressure(std::string root) : root_(std::move(root)) {
  // Version 2 of control groups has one line of this kind.
  const std::string groups = read(root_ + "/proc/self/cgroup");
  const size_t at = groups.find("0::");
  if (at != std::string::npos && (at == 0 || groups[at - 1] == '\n')) {
    group_ = groups.substr(at + 3, groups.find('\n', at) - at - 3);
    while (!group_.empty() && group_.back() == '/') group_.pop_back();
    group_ = root_ + "/sys/fs/cgroup" + group_;
  }
  stalls_ = group_ + "/memory.pressure";
  if (group_.empty() || !stalled_us(stalls_)) stalls_ = root_ + "/proc/pressure/memory";
}

bool MemoryPressure::high(double seconds) {
  bool result = false;
  const std::optional<uint64_t> now = stalled_us(stalls_);
  if (now && stalled_us_ && *now > *stalled_us_) {
    result = static_cast<double>(*now - *stalled_us_) > kStalled * 1e6 * seconds;
  }
  stalled_us_ = now;
  // A limit may be the group's or that of any around it.
  const std::string top = root_ + "/sys/fs/cgroup";
  for (std::string group = group_; group.size() >= top.size() && !group.empty();
       group.resize(group.rfind('/'))) {
    const auto limit = number(read(group + "/memory.max"));
    const auto used = number(read(group + "/memory.current"));
    if (!limit || !used) continue;
    const double left = *used < *limit ? static_cast<double>(*limit - *used) : 0;
    result = result || left < kLeft * static_cast<double>(*limit);
  }
  return result;
}

}  // namespace nestling::runtime
