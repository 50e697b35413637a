// What the parts of a host share. Three kinds of threads are at work:
//
//   callers       tell what changed, and decide (host.cpp)
//   computers     run the layers of whose turn it is, one for each processor (compute.cpp)
//   the manager   pages in and changes capacities (change.cpp)
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/host/client.h"
#include "runtime/host/fair_queue.h"
#include "runtime/host/memory_pressure.h"

namespace nestling::runtime {

// What happened at once is told in one line.
inline void append_event(std::string& events, const std::string& event) {
  events += (events.empty() ? "" : "; ") + event;
}

class Host::Impl {
 public:
  explicit Impl(const HostOptions& options);
  ~Impl();

  Result<ApplicationId> add(const char* package, const Application& application);
  Status remove(ApplicationId id);
  Status set_goals(ApplicationId id, double min_accuracy, double max_latency_s);
  Status set_device(const Device& device);
  void together(const std::function<void()>& changes);
  void low_memory(double seconds);
  Status submit(ApplicationId id, const float* const* inputs, FrameCallback done);
  Result<ApplicationReport> report(ApplicationId id) const;
  uint64_t memory_bytes() const;

 private:
  using Lock = std::unique_lock<std::mutex>;

  // Decides for those that are there, and says what is to change. Called with `deciding_` held, and
  // not mutex_.
  void decide(std::string event);

  // What runs the applications of one processor.
  struct Computer {
    Computer(Processor which, int threads) : processor(which), pool(threads) {}

    const Processor processor;
    ThreadPool pool;
    FairQueue fair;
    std::condition_variable work;
    std::thread thread;
  };
  // Of the processor that an application asks for, which must be there.
  Computer& computer_of(const Application& application) {
    return *computers_[static_cast<size_t>(application.processor)];
  }

  void compute(Computer& computer);  // its life
  void turn(Lock& lock, Computer& computer, Client& client);
  void ended(Client& client, double latency_s, const Status& status);
  void rest(Lock& lock, Computer& computer);  // leaves the processor to others
  // Whether others have a part of it.
  void share(Computer& computer);

  void manage();  // the manager's life
  void look_at_memory(Lock& lock);
  bool change_one(Lock& lock);  // false if there is nothing to do now
  bool page_in_ahead(Lock& lock, Client& client);
  void change(Lock& lock, Client& client);
  bool must_shrink() const;
  void fail(Client& client, const Status& why);

  uint64_t used_bytes() const;  // by all clients

  // After anything of a client changed: whether it takes turns.
  void update(Client& client);
  void decide_later(const std::string& event);  // by the manager

  // Its rest of the processor is the device's, which other processes have.
  static constexpr size_t kRest = 0;
  static constexpr std::chrono::seconds kLook{1};  // between two looks at the system's memory
  static constexpr double kTurn_s = 0.0005;        // a turn ends with the layer that passes this

  const HostOptions options_;
  const Clock::time_point made_ = Clock::now();
  std::mutex deciding_;  // before mutex_; guards the order of decisions
  mutable std::mutex mutex_;
  std::condition_variable changes_;  // for the manager
  std::condition_variable idle_;     // an engine is not held any more
  std::map<ApplicationId, std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Computer>> computers_;  // by Processor
  Device device_;
  std::optional<uint64_t> low_memory_bytes_;
  Clock::time_point low_memory_until_;
  MemoryPressure pressure_;  // the manager's
  Clock::time_point next_look_ = Clock::now();
  bool together_ = false;  // decisions wait; together_events_ says for what
  std::string together_events_;
  std::string later_;  // an event that the manager decides about; none if empty
  ApplicationId last_id_ = kRest;
  bool over_ = false;
  std::thread manager_;
};

}  // namespace nestling::runtime
