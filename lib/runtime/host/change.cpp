// The manager: one thread that pages in, changes capacities, and decides where nobody else does.
#include <algorithm>
#include <utility>

#include "runtime/host/impl.h"

namespace nestling::runtime {
namespace {

// Between inferences; one that failed is not waited for.
bool may_change(const Client& client) {
  return !client.held && (!client.running || client.failed());
}

}  // namespace

void Host::Impl::manage() {
  Lock lock(mutex_);
  while (!over_) {
    if (low_memory_bytes_ && Clock::now() >= low_memory_until_) {
      low_memory_bytes_.reset();
      decide_later("memory is free again");
    }
    if (options_.watch_memory && Clock::now() >= next_look_) {
      look_at_memory(lock);
    } else if (change_one(lock)) {
      // What was decided is done before anything else is: events that keep coming, each with a
      // decision about all, must not hold up anybody's first capacity.
    } else if (!later_.empty()) {
      std::string event = std::exchange(later_, {});
      lock.unlock();
      {
        const std::lock_guard order(deciding_);
        decide(std::move(event));
      }
      lock.lock();
    } else {
      auto until = Clock::time_point::max();
      if (low_memory_bytes_) until = low_memory_until_;
      if (options_.watch_memory) until = std::min(until, next_look_);
      if (until == Clock::time_point::max()) {
        changes_.wait(lock);
      } else {
        changes_.wait_until(lock, until);
      }
    }
  }
}

void Host::Impl::look_at_memory(Lock& lock) {
  lock.unlock();
  const bool high = pressure_.high(std::chrono::duration<double>(kLook).count());
  if (high) low_memory(10);
  lock.lock();
  next_look_ = Clock::now() + kLook;
}

bool Host::Impl::must_shrink() const {
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const auto& one) { return one.second->has_too_much(); });
}

// Memory is given back first, by all, before anybody gets more: so the sum never passes both the
// budget and what it was.
bool Host::Impl::change_one(Lock& lock) {
  const bool shrink = must_shrink();
  for (auto& [id, client] : clients_) {
    Client& c = *client;
    if (shrink ? !c.has_too_much() : c.leaving || c.target <= c.capacity) continue;
    if (!shrink && !c.yielding) return page_in_ahead(lock, c);
    c.yielding = true;
    update(c);
    if (!may_change(c)) continue;
    change(lock, c);
    return true;
  }
  return false;
}

// Segment by segment, as long as it is wanted. True: look again what there is to do.
bool Host::Impl::page_in_ahead(Lock& lock, Client& client) {
  client.preparing = true;
  for (int k = 1; k <= client.target; ++k) {
    lock.unlock();
    const uint64_t before = client.engine.mapped_bytes();
    const Status status = client.engine.prepare(static_cast<uint32_t>(k));
    const uint64_t after = client.engine.mapped_bytes();
    lock.lock();
    client.ahead = std::max(client.ahead, k);
    client.memory_bytes += after - before;
    client.told.page_in_bytes += after - before;
    if (!status.ok()) fail(client, status);
    if (over_ || client.leaving || must_shrink()) break;
  }
  client.preparing = false;
  client.yielding = client.target > client.capacity && !must_shrink();
  update(client);
  idle_.notify_all();
  return true;
}

void Host::Impl::change(Lock& lock, Client& client) {
  if (client.failed()) client.give_up_all(client.told.status);
  const auto target = static_cast<uint32_t>(client.target);
  client.held = true;
  lock.unlock();
  const Status status =
      client.engine.set_capacity(target, target > 0 ? client.methods[target - 1] : Methods());
  lock.lock();
  client.held = false;
  client.yielding = false;
  client.capacity = client.ahead = static_cast<int>(client.engine.capacity());
  client.memory_bytes = client.engine.mapped_bytes() + client.engine.activation_bytes();
  if (!status.ok() && !client.failed()) fail(client, status);
  update(client);
  idle_.notify_all();
}

void Host::Impl::fail(Client& client, const Status& why) {
  client.told.status = why;
  client.target = 0;
  client.give_up_waiting(why);
  decide_later(client.goals.name + " failed: " + why.text());
}

void Host::Impl::update(Client& client) {
  // An inference whose end others wait for, to have its memory, is not held up by a small share.
  const bool awaited = client.yielding && client.has_too_much();
  Computer& computer = computer_of(client.goals);
  computer.fair.set_weight(client.id, awaited ? 1 : client.weight());
  if (client.ready()) {
    computer.fair.wake(client.id);
    computer.work.notify_one();
  } else {
    computer.fair.sleep(client.id);
  }
}

void Host::Impl::decide_later(const std::string& event) {
  append_event(later_, event);
  changes_.notify_one();
}

}  // namespace nestling::runtime
