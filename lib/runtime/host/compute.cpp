// A computer: a thread that runs the layers of a processor's applications, each on all threads of
// its pool, a few at a turn.
#include <algorithm>

#include "runtime/host/impl.h"

namespace nestling::runtime {
namespace {

std::vector<const float*> pointers(const std::vector<std::vector<float>>& arrays) {
  std::vector<const float*> all(arrays.size());
  std::transform(arrays.begin(), arrays.end(), all.begin(),
                 [](const std::vector<float>& array) { return array.data(); });
  return all;
}

}  // namespace

void Host::Impl::compute(Computer& computer) {
  Lock lock(mutex_);
  while (!over_) {
    const bool anybody = std::any_of(clients_.begin(), clients_.end(), [&](const auto& one) {
      return one.second->goals.processor == computer.processor && one.second->ready();
    });
    if (!anybody) {
      computer.pool.rest();
      computer.work.wait(lock);
    } else if (const size_t next = *computer.fair.next(); next == kRest) {
      rest(lock, computer);
    } else {
      turn(lock, computer, *clients_.at(next));
    }
  }
}

void Host::Impl::turn(Lock& lock, Computer& computer, Client& client) {
  const bool begins = !client.running;
  if (begins) {
    client.running = std::move(client.waiting.front());
    client.waiting.pop_front();
  }
  PendingFrame& frame = *client.running;
  client.held = true;
  lock.unlock();

  const Clock::time_point start = Clock::now();
  Engine& engine = client.engine;
  const ThreadPool& pool = computer.pool;
  if (begins) engine.begin(engine.capacity(), pointers(frame.inputs).data(), pool);
  bool more = true;
  Status status;
  Clock::time_point now = start;
  do {
    status = engine.step(pool, engine.at_once());
    more = status.ok() && engine.next() != nullptr;
    now = Clock::now();
  } while (more && seconds_between(start, now) < kTurn_s);
  if (!more && status.ok()) {
    std::vector<float*> outputs;
    for (const uint32_t value : engine.header().outputs) {
      const uint64_t floats = element_count(engine.header().shape(value, 1));
      outputs.push_back(frame.frame.outputs.emplace_back(floats).data());
    }
    engine.finish(outputs.data(), pool);
    status = engine.intact();
    now = Clock::now();
  }

  lock.lock();
  const double seconds = seconds_between(start, now);
  computer.fair.charge(client.id, seconds);
  client.told.busy_s += seconds;
  frame.busy_s += seconds;
  client.held = false;
  if (!more) ended(client, seconds_between(frame.submitted, now), status);
  update(client);
  idle_.notify_all();
  if (client.yielding) changes_.notify_one();
}

void Host::Impl::ended(Client& client, double latency_s, const Status& status) {
  PendingFrame frame = std::move(*client.running);
  client.running.reset();
  if (!status.ok()) {
    frame.frame.outputs.clear();
    client.give_up(std::move(frame), status);
    fail(client, status);
    return;
  }
  const CapacityCost& cost = client.goals.capacities[static_cast<size_t>(client.capacity - 1)];
  frame.frame.capacity = client.capacity;
  frame.frame.latency_s = latency_s;
  ++client.told.done;
  if (latency_s > client.goals.max_latency_s) ++client.told.late;
  client.accuracy_sum += cost.accuracy;
  if (options_.feedback && client.feedback.measured(frame.busy_s, cost.latency_s)) {
    decide_later(client.goals.name + " takes other times than its profile has");
  }
  client.delivery->post(std::move(frame.callback), std::move(frame.frame));
}

void Host::Impl::share(Computer& computer) {
  if (device_.part_of(computer.processor) < 1) {
    computer.fair.wake(kRest);
  } else {
    computer.fair.sleep(kRest);
  }
}

void Host::Impl::rest(Lock& lock, Computer& computer) {
  double weights = 0;
  for (const auto& [id, client] : clients_) {
    if (client->goals.processor == computer.processor && client->ready()) {
      weights += client->weight();
    }
  }
  const double part = device_.part_of(computer.processor);
  computer.fair.set_weight(kRest, weights * (1 - part) / part);
  const Clock::time_point start = Clock::now();
  lock.unlock();
  computer.pool.rest();
  std::this_thread::sleep_for(std::chrono::duration<double>(kTurn_s));
  lock.lock();
  computer.fair.charge(kRest, seconds_between(start, Clock::now()));
}

}  // namespace nestling::runtime
