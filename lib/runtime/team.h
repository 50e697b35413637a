// A model's own threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <pthread.h>

namespace nestling::runtime {

// Threads that do the parts of one thing after the other, together with the thread that asks for
// it, one at a time. They wait for the next awake, as waking them takes longer than many layers do.
class Team {
 public:
  // Of the asking thread and `threads - 1` more; fewer where the system has no more to give.
  explicit Team(size_t threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  // Calls work(context, i) once for every i below `count`, and returns when all calls have. Each
  // thread begins with its share, the same of every `count`, as it has what it wrote last in its
  // cache, and then takes from the ends of the others'.
  void run(size_t count, void (*work)(void* context, size_t i), void* context);
  // Lets the threads sleep until there is more to do.
  void rest();

 private:
  // What is written often by one thread lies in lines of the cache of its own.
  static constexpr size_t kApart = 128;

  struct alignas(kApart) Member {
    // What is left of its share: how many parts, of which the member takes the first and others
    // the last.
    std::atomic<ptrdiff_t> left{0};
    std::atomic<size_t> end{0};
    size_t first = 0;
    Team* team = nullptr;
    pthread_t thread{};
  };

  void take_part(Member& self);
  void serve(Member& self);

  // Changes with every call: odd where there is nothing to do but rest. What is called lies beside
  // it, so that who waits for it gets both at once.
  alignas(kApart) std::atomic<uint32_t> number_{1};
  size_t size_ = 1;  // of members, the first of which is the asking thread
  std::unique_ptr<Member[]> members_;
  void (*work_)(void* context, size_t i) = nullptr;  // null: leave
  void* context_ = nullptr;
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t called_ = PTHREAD_COND_INITIALIZER;

  alignas(kApart) std::atomic<size_t> busy_{0};  // members that are not done
};

}  // namespace nestling::runtime
