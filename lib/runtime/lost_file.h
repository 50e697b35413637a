// Survives a mapped file that becomes shorter: reading a page that it no longer has raises SIGBUS,
// which would end the process, and with it every application in it.
#pragma once

#include <atomic>
#include <cstdint>

namespace nestling::runtime {

// A mapping that is watched while this lives. Movable, not copyable.
class WatchedMapping {
 public:
  WatchedMapping() = default;
  WatchedMapping(const void* address, uint64_t bytes);
  WatchedMapping(WatchedMapping&& other) noexcept;
  WatchedMapping& operator=(WatchedMapping&& other) noexcept;
  ~WatchedMapping();

  bool lost() const;  // a page was missing and reads as zeros since

 private:
  int slot_ = -1;  // none, or all were taken: then it is not watched
};

// From now on, and until the process ends, a missing page of a watched mapping is replaced by zeros
// and the mapping is lost(). All other bus errors go to the handler of before. The first call
// installs the handler; others do nothing.
void survive_lost_files();

}  // namespace nestling::runtime
