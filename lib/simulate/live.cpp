#include "simulate/live.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <unistd.h>
#include <utility>

#include "runtime/host.h"
#include "runtime/model.h"
#include "simulate/source.h"

#include "base/error.h"

namespace nestling {
namespace {

using runtime::ApplicationId;
using runtime::ApplicationReport;
using runtime::Host;
using Clock = std::chrono::steady_clock;

constexpr double kLook_s = 0.01;  // between two looks at the host

// What the process has in memory, 0 where the system does not say.
uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t all = 0, resident = 0;
  if (!(statm >> all >> resident)) return 0;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

template <typename T>
T& checked(runtime::Result<T>& result, const std::string& what) {
  if (!result.ok()) fail("{}: {}", what, result.status().text());
  return result.value();
}

void check(const runtime::Status& status) {
  if (!status.ok()) fail("{}", status.text());
}

class LivePlayer {
 public:
  LivePlayer(const Workload& workload, const LiveOptions& options) : workload_(workload) {
    live_.measured.services.resize(workload.applications.size());
    for (const WorkloadApplication& one : workload.applications) {
      auto model = runtime::Model::open(one.package.c_str(), {});
      inputs_.push_back(checked(model, one.goals.name).input_floats());
      goals_.push_back(one.goals);
      running_.emplace_back();
    }
    runtime::HostOptions host;
    host.device = workload.device;
    host.threads = options.threads;
    host.accelerator = options.accelerator;
    host.tuning = options.tuning;
    host.decision = options.decision;
    host.feedback = host.watch_memory = options.feedback;
    host.on_decision = [this](const runtime::Decided& decided) { record(decided); };
    auto made = Host::make(host);
    host_ = std::move(checked(made, "the host"));
  }
  LivePlayer(const LivePlayer&) = delete;
  LivePlayer& operator=(const LivePlayer&) = delete;
  ~LivePlayer() {
    for (Running& one : running_) {
      if (one.source) one.source->stop();
    }
    host_.reset();  // before the sources, which its callbacks use
  }

  Live run(Progress& progress) {
    const uint64_t resident = resident_bytes();
    const auto seconds = static_cast<int64_t>(std::ceil(workload_.duration_s));
    progress.begin("live", seconds);
    int64_t told = 0;
    last_look_ = start_ = Clock::now();
    for (size_t e = 0; now() < workload_.duration_s;) {
      const auto& events = workload_.events;
      while (e < events.size() && events[e].at_s <= now()) {
        // What happens at the same time is decided once, as in the simulation.
        const double at = events[e].at_s;
        host_->together([&] {
          for (; e < events.size() && events[e].at_s == at; ++e) apply(events[e]);
        });
        for (size_t i = 0; i < running_.size(); ++i) {  // once it is decided that they are served
          Running& one = running_[i];
          if (one.id == 0 || one.source) continue;
          one.source = std::make_unique<Source>(*host_, one.id, goals_[i], inputs_[i]);
        }
      }
      look(resident);
      if (const auto passed = static_cast<int64_t>(now()); passed > told) {
        progress.update(told = passed, fmt::format("{} bytes in use", host_->memory_bytes()));
      }
      std::this_thread::sleep_for(std::chrono::duration<double>(kLook_s));
    }
    {
      const std::lock_guard lock(recording_);
      over_ = true;  // that applications stop now is no event
    }
    for (size_t i = 0; i < running_.size(); ++i) {
      if (running_[i].source) stop(i);
    }
    live_.measured.average(workload_.duration_s);
    return std::move(live_);
  }

 private:
  struct Running {
    ApplicationId id = 0;  // 0: it does not run
    std::unique_ptr<Source> source;
  };

  double now() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  void apply(const Event& event) {
    const size_t i = event.application;
    switch (event.kind) {
      case Event::Kind::start: {
        if (running_[i].id != 0) break;
        auto added = host_->add(workload_.applications[i].package.c_str(), goals_[i]);
        running_[i].id = checked(added, goals_[i].name);
        break;
      }
      case Event::Kind::stop:
        if (running_[i].id != 0) stop(i);
        break;
      case Event::Kind::goals:
        goals_[i].min_accuracy = event.min_accuracy;
        goals_[i].max_latency_s = event.max_latency_s;
        if (running_[i].id == 0) break;  // it has them when it starts
        check(host_->set_goals(running_[i].id, event.min_accuracy, event.max_latency_s));
        if (running_[i].source) running_[i].source->set_max_latency(event.max_latency_s);
        break;
      case Event::Kind::memory:
        device_.memory_bytes = event.memory_bytes;
        check(host_->set_device(device_));
        break;
      case Event::Kind::processor:
        device_.processor = event.processor;
        check(host_->set_device(device_));
        break;
      case Event::Kind::accelerator:
        device_.accelerator = event.processor;
        check(host_->set_device(device_));
        break;
    }
  }

  void stop(size_t i) {
    if (!running_[i].source) {  // it starts and stops at the same time
      check(host_->remove(std::exchange(running_[i].id, 0)));
      return;
    }
    running_[i].source->stop();
    auto report = host_->report(running_[i].id);
    const ApplicationReport& told = checked(report, "the host");
    if (!told.status.ok()) fail("{}: {}", told.name, told.status.text());
    Service& service = live_.measured.services[i];
    service.frames += static_cast<double>(told.done);
    service.missed += static_cast<double>(running_[i].source->late());
    service.switches += static_cast<int>(told.switches);
    service.page_in_bytes += told.page_in_bytes;
    const double rate = workload_.applications[i].goals.frame_rate;
    service.wanted += static_cast<double>(rate > 0 ? running_[i].source->sent() : told.done);
    live_.dropped += told.dropped;
    live_.refused += told.refused;
    live_.failed += told.failed;
    check(host_->remove(std::exchange(running_[i].id, 0)));
    running_[i].source.reset();
  }

  // Adds up what is the case now for the time since the last look.
  void look(uint64_t resident_at_first) {
    const Clock::time_point at = Clock::now();
    const double seconds = std::chrono::duration<double>(at - last_look_).count();
    last_look_ = at;
    uint64_t memory = 0;
    for (size_t i = 0; i < running_.size(); ++i) {
      if (!running_[i].source) continue;
      auto report = host_->report(running_[i].id);
      const ApplicationReport& told = checked(report, "the host");
      Service& service = live_.measured.services[i];
      service.running_s += seconds;
      memory += told.memory_bytes;
      if (told.capacity == 0) continue;
      service.served_s += seconds;
      const auto& capacities = workload_.applications[i].goals.capacities;
      service.accuracy += seconds * capacities[static_cast<size_t>(told.capacity - 1)].accuracy;
      service.memory_bytes += seconds * static_cast<double>(told.memory_bytes);
    }
    live_.measured.mean_memory_bytes += seconds * static_cast<double>(memory);
    live_.measured.most_memory_bytes = std::max(live_.measured.most_memory_bytes, memory);
    const bool over = memory > device_.memory_bytes;
    over_s_ = over ? over_s_ + seconds : 0;
    if (over) live_.over_budget_s += seconds;
    live_.longest_over_budget_s = std::max(live_.longest_over_budget_s, over_s_);
    const uint64_t resident = resident_bytes();
    if (resident > resident_at_first) {
      live_.most_resident_bytes = std::max(live_.most_resident_bytes, resident - resident_at_first);
    }
  }

  void record(const runtime::Decided& decided) {
    const std::lock_guard lock(recording_);
    if (over_) return;
    Moment& moment = live_.measured.moments.emplace_back();
    moment.at_s = decided.at_s;
    moment.event = decided.event;
    moment.problem = decided.problem;
    moment.decision = decided.decision;
    for (const runtime::Application& one : decided.problem.applications) {
      const auto& all = workload_.applications;
      const auto found = std::find_if(
          all.begin(), all.end(), [&](const auto& known) { return known.goals.name == one.name; });
      moment.who.push_back(static_cast<size_t>(found - all.begin()));
    }
  }

  const Workload& workload_;
  std::vector<uint64_t> inputs_;  // floats, by application
  std::vector<runtime::Application> goals_;
  std::vector<Running> running_;  // by application
  runtime::Device device_ = workload_.device;
  std::mutex recording_;
  bool over_ = false;
  Live live_;
  double over_s_ = 0;
  Clock::time_point start_, last_look_;
  std::unique_ptr<Host> host_;  // last: it goes before what its callbacks use
};

// Decisions of `live` that have the capacities of its simulation.
void compare(Live& live) {
  const auto& a = live.measured.moments;
  const auto& b = live.simulated.moments;
  live.compared = static_cast<int>(b.size());
  for (size_t m = 0; m < std::min(a.size(), b.size()); ++m) {
    const auto same = [](const runtime::Assignment& x, const runtime::Assignment& y) {
      return x.capacity == y.capacity;
    };
    const auto& x = a[m].decision.assignments;
    const auto& y = b[m].decision.assignments;
    if (a[m].who == b[m].who && std::equal(x.begin(), x.end(), y.begin(), y.end(), same)) {
      ++live.same;
    }
  }
}

}  // namespace

Live play_live(const Workload& workload, const LiveOptions& options, Progress& progress) {
  Live live = LivePlayer(workload, options).run(progress);
  live.simulated = simulate(workload, options.decision);
  if (!options.feedback) compare(live);
  return live;
}

std::string live_table(const Workload& workload, const Live& live) {
  const size_t width = name_width(workload);
  std::string text =
      fmt::format("{:{}}  {:>19}  {:>19}  {:>19}  {:>8}\n{:{}}", "", width, "frames/s", "accuracy",
                  "missed", "switches", "application", width);
  for (int i = 0; i < 3; ++i) text += fmt::format("  {:>9} {:>9}", "live", "simulated");
  text += '\n';
  const auto line = [&](const std::string& name, const Service& a, const Service& b) {
    text +=
        fmt::format("{:{}}  {:>9.2f} {:>9.2f}  {:>8.2f}% {:>8.2f}%  {:>8.2f}% {:>8.2f}%  {:>8}\n",
                    name, width, a.rate(), b.rate(), 100 * a.accuracy, 100 * b.accuracy,
                    a.late_percent(), b.late_percent(), a.switches);
  };
  for (size_t i = 0; i < workload.applications.size(); ++i) {
    line(workload.applications[i].goals.name, live.measured.services[i],
         live.simulated.services[i]);
  }
  line("all", total_of(live.measured), total_of(live.simulated));
  text += fmt::format(
      "memory: at most {} bytes; above the budget for {:.3f} s in all, {:.3f} s at a time\n"
      "the process: at most {} bytes more than before\n"
      "frames: {} dropped, {} refused, {} failed\n",
      live.measured.most_memory_bytes, live.over_budget_s, live.longest_over_budget_s,
      live.most_resident_bytes, live.dropped, live.refused, live.failed);
  if (live.compared > 0) {
    text += fmt::format("decisions as simulated: {} of {}\n", live.same, live.compared);
  }
  return text;
}

Json to_json(const Workload& workload, const Live& live, const std::string& policy) {
  Json json = to_json(workload, live.measured, policy);
  json["live"] = {{"over_budget_s", live.over_budget_s},
                  {"longest_over_budget_s", live.longest_over_budget_s},
                  {"most_resident_bytes", live.most_resident_bytes},
                  {"dropped", live.dropped},
                  {"refused", live.refused},
                  {"failed", live.failed},
                  {"decisions", live.compared},
                  {"decisions_as_simulated", live.same}};
  return json;
}

}  // namespace nestling
