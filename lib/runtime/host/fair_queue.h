// Who may compute next, so that over time each gets the processor by its weight: start-time fair
// queuing (Goyal, Vin, Cheng, SIGCOMM 1996), in which every client has a virtual time that passes
// 1 / weight times as fast as the processor computes for it, and the one that is furthest behind is
// next. What a client does not use goes to the others, by their weights; it cannot be saved up, but
// for a moment, so that who is late with its next frame by a little does not lose its share.
#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <optional>

namespace nestling::runtime {

// Clients are numbers that the caller chooses. Not thread-safe; does not look at a clock.
class FairQueue {
 public:
  // A turn that took longer is charged as this: the whole process stood still (a suspended device,
  // a debugger), which was nobody's work and must not starve anybody for as long afterwards.
  static constexpr double kLongestTurn_s = 1;
  // Who comes back is behind by at most so much virtual time.
  static constexpr double kMoment_s = 0.01;

  // weight > 0; of a client that is there, a new one.
  void set_weight(size_t client, double weight) { clients_[client].weight = weight; }
  void remove(size_t client) { clients_.erase(client); }

  // A client has something to compute, or has not any more. A new one has not.
  void wake(size_t client) {
    Client& c = clients_[client];
    if (c.awake) return;
    c.awake = true;
    if (c.time < time_ - kMoment_s) c.time = time_ - kMoment_s;
  }
  void sleep(size_t client) { clients_[client].awake = false; }

  // Of those that are awake, the one that is furthest behind.
  std::optional<size_t> next() const {
    std::optional<size_t> best;
    double least = std::numeric_limits<double>::infinity();
    for (const auto& [client, c] : clients_) {
      if (!c.awake || c.time >= least) continue;
      least = c.time;
      best = client;
    }
    return best;
  }

  // The processor has computed for `client` for so many seconds.
  void charge(size_t client, double seconds) {
    Client& c = clients_[client];
    if (c.time > time_) time_ = c.time;
    if (!(seconds > 0)) return;
    c.time += (seconds < kLongestTurn_s ? seconds : kLongestTurn_s) / c.weight;
  }

 private:
  struct Client {
    double weight = 1;
    double time = 0;  // virtual
    bool awake = false;
  };
  std::map<size_t, Client> clients_;
  double time_ = 0;  // of the turn that was charged last, at its beginning
};

}  // namespace nestling::runtime
