// Whether the system is short of memory, as Linux says: by how long processes wait for memory (PSI)
// and by how close the control group is to its limit. Where there is neither, never.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace nestling::runtime {

class MemoryPressure {
 public:
  // Processes waited for memory for more than this part of the time since the last look, or less
  // than this part of the control group's limit is left.
  static constexpr double kStalled = 0.1, kLeft = 0.05;

  // `root` is where the system's files are: the empty string, but for tests.
  explicit MemoryPressure(std::string root = "");

  // Looks, `seconds` after the last time. Not thread-safe.
  bool high(double seconds);

 private:
  std::string group_;   // folder of the control group; empty if there is none
  std::string stalls_;  // the file of PSI
  std::string root_;
  std::optional<uint64_t> stalled_us_;  // until the last look
};

}  // namespace nestling::runtime
