#include "runtime/lost_file.h"

#include <cerrno>
#include <csignal>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace nestling::runtime {
namespace {

constexpr int kSlots = 4096;

// Written under the mutex, read by the signal handler, which may wait for nothing.
struct Slot {
  std::atomic<uintptr_t> begin = 0;  // 0: free
  std::atomic<uintptr_t> end = 0;
  std::atomic<bool> lost = false;
};
Slot slots[kSlots];
std::mutex taking;
uintptr_t page_bytes = 0;
struct sigaction before {};

void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  const auto at = reinterpret_cast<uintptr_t>(info->si_addr);
  if (info->si_code == BUS_ADRERR) {
    for (Slot& slot : slots) {
      const uintptr_t begin = slot.begin.load(), end = slot.end.load();
      if (begin == 0 || at < begin || at >= end) continue;
      // What lies behind is missing, too. mmap is not in POSIX's list of what a handler may call,
      // but is a plain system call wherever this runs.
      char* page = static_cast<char*>(info->si_addr) - at % page_bytes;
      void* zeros = ::mmap(page, end - at + at % page_bytes, PROT_READ,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
      if (zeros == MAP_FAILED) break;
      slot.lost = true;
      errno = error;
      return;  // and the same instruction reads again
    }
  }
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signal, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(signal);
  } else {
    ::sigaction(SIGBUS, &before, nullptr);  // the instruction fails again, and ends the process
  }
  errno = error;
}

}  // namespace

WatchedMapping::WatchedMapping(const void* address, uint64_t bytes) {
  const std::lock_guard lock(taking);
  for (int i = 0; i < kSlots; ++i) {
    if (slots[i].begin != 0) continue;
    const auto begin = reinterpret_cast<uintptr_t>(address);
    slots[i].lost = false;
    slots[i].end = begin + bytes;
    slots[i].begin = begin;
    slot_ = i;
    return;
  }
}

WatchedMapping::WatchedMapping(WatchedMapping&& other) noexcept
    : slot_(std::exchange(other.slot_, -1)) {}

WatchedMapping& WatchedMapping::operator=(WatchedMapping&& other) noexcept {
  std::swap(slot_, other.slot_);
  return *this;
}

WatchedMapping::~WatchedMapping() {
  if (slot_ >= 0) slots[slot_].begin = 0;
}

bool WatchedMapping::lost() const { return slot_ >= 0 && slots[slot_].lost; }

void survive_lost_files() {
  static std::once_flag once;
  std::call_once(once, [] {
    page_bytes = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigaction(SIGBUS, &action, &before);
  });
}

}  // namespace nestling::runtime
