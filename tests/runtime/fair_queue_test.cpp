// Shares of a processor that exists only in the numbers.
#include "runtime/host/fair_queue.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/catch.h"

#include "base/random.h"

using nestling::runtime::FairQueue;

namespace {

struct Client {
  double weight;
  double turn_s;  // how long its longest layer takes; the others are shorter
  double got_s = 0;
};

// Hands out `seconds` of the processor to clients that always have work.
void play(FairQueue& queue, std::vector<Client>& clients, double seconds,
          nestling::Random& random) {
  for (double now = 0; now < seconds;) {
    const size_t who = queue.next().value();
    const double turn = clients[who].turn_s * (0.1 + 0.9 * random.uniform());
    queue.charge(who, turn);
    clients[who].got_s += turn;
    now += turn;
  }
}

}  // namespace

TEST_CASE("the fair queue keeps shares within 5 % over a second, or one layer") {
  nestling::Random random(7);
  for (int trial = 0; trial < 200; ++trial) {
    FairQueue queue;
    std::vector<Client> clients(2 + random.below(6));
    double all = 0;
    for (size_t i = 0; i < clients.size(); ++i) {
      clients[i] = {0.1 + random.uniform(), 1e-5 * std::pow(300, random.uniform())};
      all += clients[i].weight;
      queue.set_weight(i, clients[i].weight);
      queue.wake(i);
    }
    play(queue, clients, 1, random);
    double got = 0;
    for (const Client& client : clients) got += client.got_s;
    for (const Client& client : clients) {
      INFO("trial " << trial << ", turns of " << client.turn_s);
      const double share = client.weight / all;
      CHECK(std::abs(client.got_s / got - share) <= std::max(0.05 * share, client.turn_s));
    }
  }
}

TEST_CASE("what a client does not use goes to the others by their weights, and is not saved up") {
  nestling::Random random(8);
  FairQueue queue;
  std::vector<Client> clients = {{0.5, 1e-3}, {0.3, 1e-3}, {0.2, 1e-3}};
  for (size_t i = 0; i < 3; ++i) queue.set_weight(i, clients[i].weight);
  CHECK_FALSE(queue.next().has_value());
  queue.wake(1);
  queue.wake(2);
  play(queue, clients, 10, random);
  CHECK(clients[0].got_s == 0);
  CHECK(clients[1].got_s == Approx(6).epsilon(0.01));
  // Back after ten seconds, it gets its half, and no more.
  queue.wake(0);
  play(queue, clients, 1, random);
  CHECK(clients[0].got_s == Approx(0.5).epsilon(0.01));
  queue.sleep(1);
  queue.set_weight(2, 0.5);
  const double before = clients[2].got_s;
  play(queue, clients, 1, random);
  CHECK(clients[2].got_s - before == Approx(0.5).epsilon(0.01));
  queue.remove(0);
  CHECK(queue.next() == 2U);
}

TEST_CASE("a process that stood still for an hour starves nobody") {
  nestling::Random random(9);
  FairQueue queue;
  std::vector<Client> clients = {{0.5, 1e-3}, {0.5, 1e-3}};
  for (size_t i = 0; i < 2; ++i) {
    queue.set_weight(i, clients[i].weight);
    queue.wake(i);
  }
  queue.charge(0, 3600);  // a suspended device
  queue.charge(0, -5);    // a clock that was set back
  play(queue, clients, 4, random);
  CHECK(clients[0].got_s >= 1.4);
}
