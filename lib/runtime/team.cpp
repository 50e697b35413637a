#include "runtime/team.h"

#include <sched.h>

namespace nestling::runtime {
namespace {

// Returns when ready() does. For some microseconds without a system call, and from then on so that
// other threads come to run where there are more of them than processors.
template <typename Ready>
void await(const Ready& ready) {
  for (size_t turn = 0; !ready(); ++turn) {
    if (turn >= 1000) {
      sched_yield();
      continue;
    }
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    asm volatile("yield");
#endif
  }
}

// Whether there is nothing to do after the call of that number.
bool rests(uint32_t number) { return number % 2 == 1; }

}  // namespace

Team::Team(size_t threads) : members_(std::make_unique<Member[]>(threads)) {
  for (; size_ < threads; ++size_) {
    Member& member = members_[size_];
    member.team = this;
    const auto begin = [](void* self) -> void* {
      Member& m = *static_cast<Member*>(self);
      m.team->serve(m);
      return nullptr;
    };
    if (pthread_create(&member.thread, nullptr, begin, &member) != 0) break;
  }
}

Team::~Team() {
  run(0, nullptr, nullptr);
  for (size_t i = 1; i < size_; ++i) pthread_join(members_[i].thread, nullptr);
  pthread_cond_destroy(&called_);
  pthread_mutex_destroy(&mutex_);
}

void Team::run(size_t count, void (*work)(void* context, size_t i), void* context) {
  work_ = work;
  context_ = context;
  for (size_t i = 0; i < size_; ++i) {
    Member& member = members_[i];
    const size_t end = count * (i + 1) / size_;
    member.first = count * i / size_;
    member.end.store(end, std::memory_order_relaxed);
    member.left.store(static_cast<ptrdiff_t>(end - member.first), std::memory_order_relaxed);
  }
  busy_.store(size_ - 1, std::memory_order_relaxed);
  const uint32_t last = number_.load(std::memory_order_relaxed);
  if (rests(last)) {
    pthread_mutex_lock(&mutex_);
    number_.store(last + 1, std::memory_order_release);
    pthread_cond_broadcast(&called_);
    pthread_mutex_unlock(&mutex_);
  } else {
    number_.store(last + 2, std::memory_order_release);
  }
  take_part(members_[0]);
  await([&] { return busy_.load(std::memory_order_acquire) == 0; });
}

// Who has not seen it when the next call comes need not rest.
void Team::rest() {
  const uint32_t last = number_.load(std::memory_order_relaxed);
  if (!rests(last)) number_.store(last + 1, std::memory_order_release);
}

void Team::take_part(Member& self) {
  // Who could count down one that is left may take one.
  const auto one_left = [](Member& m) {
    return m.left.load(std::memory_order_relaxed) > 0 &&
           m.left.fetch_sub(1, std::memory_order_relaxed) > 0;
  };
  while (one_left(self)) work_(context_, self.first++);
  for (size_t i = 0; i < size_; ++i) {
    Member& other = members_[i];
    while (one_left(other)) {
      work_(context_, other.end.fetch_sub(1, std::memory_order_relaxed) - 1);
    }
  }
}

void Team::serve(Member& self) {
  uint32_t seen = 1;
  for (;;) {
    if (rests(seen)) {
      pthread_mutex_lock(&mutex_);
      while (number_.load(std::memory_order_acquire) == seen) {
        pthread_cond_wait(&called_, &mutex_);
      }
      pthread_mutex_unlock(&mutex_);
    } else {
      await([&] { return number_.load(std::memory_order_acquire) != seen; });
    }
    seen = number_.load(std::memory_order_acquire);
    if (rests(seen)) continue;
    const bool leaves = work_ == nullptr;
    take_part(self);
    busy_.fetch_sub(1, std::memory_order_release);
    if (leaves) return;
  }
}

}  // namespace nestling::runtime
