#include "runtime/host.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "runtime/cpu.h"
#include "runtime/host/impl.h"
#include "runtime/lost_file.h"
#include "runtime/tuning.h"

namespace nestling::runtime {
namespace {

Status unknown(ApplicationId id) {
  return {StatusCode::bad_argument, "there is no application " + std::to_string(id)};
}

// By capacity, what the file knows.
std::vector<Methods> tuned(const PackageHeader& header, const std::string& file, size_t threads) {
  std::vector<Methods> methods(header.capacities());
  if (file.empty()) return methods;
  Tuning tuning(file);
  for (uint32_t k = 1; k <= header.capacities(); ++k) {
    methods[k - 1] = tuning.find(tuning_key(header, k, threads));
  }
  return methods;
}

// What the package really takes at each capacity, if that is more.
void raise_memory(const PackageHeader& header, const std::vector<Methods>& methods, size_t threads,
                  bool pairs, Application& application) {
  uint64_t weights = 0;
  for (uint32_t k = 1; k <= header.capacities(); ++k) {
    weights += header.segments[k - 1].bytes;
    uint64_t& said = application.capacities[k - 1].memory_bytes;
    said =
        std::max(said, weights + lay_out(header, k, threads, false, pairs, methods[k - 1]).floats *
                                     sizeof(float));
  }
}

}  // namespace

Host::Impl::Impl(const HostOptions& options) : options_(options), device_(options.device) {
  computers_.push_back(std::make_unique<Computer>(Processor::cpu, options.threads));
  if (options.accelerator != nullptr) {
    computers_.push_back(std::make_unique<Computer>(Processor::accelerator, 1));
  }
  for (const auto& computer : computers_) {
    computer->fair.set_weight(kRest, 1);
    share(*computer);
    computer->thread = std::thread([this, c = computer.get()] { compute(*c); });
  }
  manager_ = std::thread([this] { manage(); });
}

Host::Impl::~Impl() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  for (const auto& computer : computers_) computer->work.notify_all();
  changes_.notify_all();
  for (const auto& computer : computers_) computer->thread.join();
  manager_.join();
  const Status over(StatusCode::not_served, "the host was closed");
  decltype(clients_) clients;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, client] : clients_) client->give_up_all(over);
    clients.swap(clients_);
  }
  clients.clear();  // waits for callbacks, which find no application any more
}

Result<ApplicationId> Host::Impl::add(const char* package, const Application& application) {
  auto segments = Segments::open(package);
  if (!segments.ok()) return segments.status();
  const PackageHeader& header = segments.value().header();
  if (application.capacities.size() != header.capacities()) {
    return Status(StatusCode::bad_argument,
                  application.name + " names " + std::to_string(application.capacities.size()) +
                      " capacities; the package has " + std::to_string(header.capacities()));
  }
  if (Status status = check_problem({device_, {application}}, options_.decision); !status.ok()) {
    return status;
  }
  const bool accelerated = application.processor == Processor::accelerator;
  if (accelerated && options_.accelerator == nullptr) {
    return Status(StatusCode::bad_argument,
                  application.name + " asks for an accelerator; the host has none");
  }
  Application goals = application;
  const size_t threads = computer_of(goals).pool.threads();
  std::vector<Methods> methods = tuned(header, accelerated ? "" : options_.tuning, threads);
  raise_memory(header, methods, threads, !accelerated, goals);
  auto delivery = Delivery::make();
  if (delivery == nullptr) {
    return Status(StatusCode::no_memory, "there can be no thread for " + application.name);
  }
  const std::lock_guard order(deciding_);
  ApplicationId id = kRest;
  {
    const std::lock_guard lock(mutex_);
    id = ++last_id_;
    std::unique_ptr<Backend> backend = std::make_unique<Cpu>();
    if (accelerated) backend = options_.accelerator->backend(header.capacities());
    auto client =
        std::make_unique<Client>(id, goals, std::move(segments.value()), std::move(backend),
                                 std::move(methods), threads, options_.verify);
    client->delivery = std::move(delivery);
    client->told.name = goals.name;
    clients_.emplace(id, std::move(client));
  }
  decide(goals.name + " starts");
  return id;
}

Status Host::Impl::remove(ApplicationId id) {
  std::unique_ptr<Client> client;
  {
    Lock lock(mutex_);
    const auto found = clients_.find(id);
    if (found == clients_.end() || found->second->leaving) return unknown(id);
    Client& c = *found->second;
    if (c.delivery->is_this_thread()) {
      return {StatusCode::bad_argument, c.goals.name + " cannot be removed by its own callback"};
    }
    c.leaving = true;
    update(c);
    idle_.wait(lock, [&] { return !c.held && !c.preparing; });
    c.give_up_all({StatusCode::not_served, c.goals.name + " was removed"});
    client = std::move(found->second);
    clients_.erase(found);
    computer_of(c.goals).fair.remove(id);
  }
  const std::string name = client->goals.name;
  client.reset();  // its callbacks end; its memory is free before others get more
  const std::lock_guard order(deciding_);
  decide(name + " stops");
  return {};
}

Status Host::Impl::set_goals(ApplicationId id, double min_accuracy, double max_latency_s) {
  const std::lock_guard order(deciding_);
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    const auto found = clients_.find(id);
    if (found == clients_.end()) return unknown(id);
    Application goals = found->second->goals;
    goals.min_accuracy = min_accuracy;
    goals.max_latency_s = max_latency_s;
    if (Status status = check_problem({device_, {goals}}, options_.decision); !status.ok()) {
      return status;
    }
    found->second->goals = std::move(goals);
    name = found->second->goals.name;
  }
  decide(name + " has other goals");
  return {};
}

Status Host::Impl::set_device(const Device& device) {
  if (Status status = check_problem({device, {}}, options_.decision); !status.ok()) return status;
  const std::lock_guard order(deciding_);
  {
    const std::lock_guard lock(mutex_);
    device_ = device;
    for (const auto& computer : computers_) share(*computer);
  }
  decide(std::to_string(device.memory_bytes) + " bytes of memory, " +
         std::to_string(std::lround(100 * device.processor)) + " % of the processor");
  return {};
}

void Host::Impl::together(const std::function<void()>& changes) {
  {
    const std::lock_guard lock(mutex_);
    together_ = true;
  }
  changes();
  const std::lock_guard order(deciding_);
  std::string events;
  {
    const std::lock_guard lock(mutex_);
    together_ = false;
    events = std::exchange(together_events_, {});
  }
  if (!events.empty()) decide(std::move(events));
}

void Host::Impl::low_memory(double seconds) {
  const std::lock_guard order(deciding_);
  {
    const std::lock_guard lock(mutex_);
    uint64_t least = 0;
    for (const auto& [id, client] : clients_) {
      least += client->goals.capacities.front().memory_bytes;
    }
    low_memory_bytes_ = std::max(used_bytes() / 4 * 3, least);
    low_memory_until_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                           std::chrono::duration<double>(seconds));
  }
  decide("the system is low on memory");
}

void Host::Impl::decide(std::string event) {
  Decided decided;
  std::vector<int> before;
  {
    const std::lock_guard lock(mutex_);
    if (together_) {
      append_event(together_events_, event);
      return;
    }
    decided.problem.device = device_;
    if (low_memory_bytes_) {
      uint64_t& budget = decided.problem.device.memory_bytes;
      budget = std::min(budget, *low_memory_bytes_);
    }
    for (const auto& [id, client] : clients_) {
      if (client->failed() || client->leaving) continue;
      Application& goals = decided.problem.applications.emplace_back(client->goals);
      for (CapacityCost& cost : goals.capacities) cost.latency_s *= client->feedback.ratio();
      decided.who.push_back(id);
      before.push_back(client->target);
    }
  }
  decided.decision = runtime::decide(decided.problem, options_.decision, before);
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < decided.who.size(); ++i) {
      const auto found = clients_.find(decided.who[i]);
      if (found == clients_.end() || found->second->failed()) continue;
      Client& client = *found->second;
      const Assignment& given = decided.decision.assignments[i];
      client.told.assignment = given;
      if (client.target > 0 && given.capacity != client.target) ++client.told.switches;
      client.target = given.capacity;
      client.yielding = client.yielding && client.target != client.capacity;
      update(client);
      if (given.capacity > 0) continue;
      const Status why(StatusCode::not_served,
                       client.goals.name + " is not served: its smallest " +
                           "capacity does not fit the memory beside others");
      client.give_up_waiting(why);
      update(client);
    }
    decided.at_s = seconds_between(made_, Clock::now());
  }
  changes_.notify_one();
  decided.event = std::move(event);
  if (options_.on_decision) options_.on_decision(decided);
}

Status Host::Impl::submit(ApplicationId id, const float* const* inputs, FrameCallback done) {
  const std::lock_guard lock(mutex_);
  const auto found = clients_.find(id);
  if (found == clients_.end() || found->second->leaving) return unknown(id);
  Client& client = *found->second;
  ++client.told.submitted;
  if (client.failed() || client.target == 0) {
    ++client.told.refused;
    if (client.failed()) return client.told.status;
    return {StatusCode::not_served, client.goals.name + " is not served now"};
  }
  if (client.on_their_way() >= options_.queue) {
    ++client.told.dropped;
    return {StatusCode::busy, client.goals.name + " has " + std::to_string(options_.queue) +
                                  " frames on their way already"};
  }
  PendingFrame pending;
  pending.frame.number = ++client.accepted;
  const PackageHeader& header = client.engine.header();
  for (size_t i = 0; i < header.inputs.size(); ++i) {
    const uint64_t floats = element_count(header.shape(header.inputs[i], 1));
    pending.inputs.emplace_back(inputs[i], inputs[i] + floats);
  }
  pending.callback = std::move(done);
  pending.submitted = Clock::now();
  client.waiting.push_back(std::move(pending));
  update(client);
  return {};
}

Result<ApplicationReport> Host::Impl::report(ApplicationId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = clients_.find(id);
  if (found == clients_.end()) return unknown(id);
  const Client& client = *found->second;
  ApplicationReport report = client.told;
  report.capacity = client.capacity;
  report.memory_bytes = client.memory_bytes;
  report.latency_ratio = client.feedback.ratio();
  report.callback_threw = client.delivery->threw();
  if (report.done > 0) report.accuracy = client.accuracy_sum / static_cast<double>(report.done);
  return report;
}

uint64_t Host::Impl::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  return used_bytes();
}

uint64_t Host::Impl::used_bytes() const {
  uint64_t bytes = 0;
  for (const auto& [id, client] : clients_) bytes += client->memory_bytes;
  return bytes;
}

Host::Host(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Host::~Host() = default;

Result<std::unique_ptr<Host>> Host::make(const HostOptions& options) {
  Status status = check_problem({options.device, {}}, options.decision);
  if (status.ok() && options.queue == 0) {
    status = {StatusCode::bad_argument, "a queue of no frames accepts none"};
  }
  if (!status.ok()) return status;
  survive_lost_files();
  return std::unique_ptr<Host>(new Host(std::make_unique<Impl>(options)));
}

Result<ApplicationId> Host::add(const char* package, const Application& application) {
  return impl_->add(package, application);
}
Status Host::remove(ApplicationId id) { return impl_->remove(id); }
Status Host::set_goals(ApplicationId id, double min_accuracy, double max_latency_s) {
  return impl_->set_goals(id, min_accuracy, max_latency_s);
}
Status Host::set_device(const Device& device) { return impl_->set_device(device); }
void Host::together(const std::function<void()>& changes) { impl_->together(changes); }
void Host::low_memory(double seconds) { impl_->low_memory(seconds); }
Status Host::submit(ApplicationId id, const float* const* inputs, FrameCallback done) {
  return impl_->submit(id, inputs, std::move(done));
}
Result<ApplicationReport> Host::report(ApplicationId id) const { return impl_->report(id); }
uint64_t Host::memory_bytes() const { return impl_->memory_bytes(); }

}  // namespace nestling::runtime
