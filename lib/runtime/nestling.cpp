#include "runtime/nestling.h"

#include <string>

#include "runtime/export.h"
#include "runtime/host.h"
#include "runtime/profile.h"

using nestling::runtime::Frame;
using nestling::runtime::Host;
using nestling::runtime::HostOptions;
using nestling::runtime::Status;

struct nestling_host {
  std::unique_ptr<Host> host;
};

namespace {

thread_local std::string last_error;

bool told(const Status& status) {
  if (!status.ok()) last_error = status.text();
  return status.ok();
}

nestling_status code(const Status& status) { return static_cast<nestling_status>(status.code()); }

}  // namespace

extern "C" {

NESTLING_API const char* nestling_error(void) { return last_error.c_str(); }

NESTLING_API void nestling_host_defaults(nestling_host_options* options) {
  const HostOptions usual;
  *options = {usual.device.memory_bytes,
              usual.device.processor,
              usual.threads,
              NESTLING_MIN_TOTAL_COST,
              usual.queue,
              usual.feedback ? 1 : 0,
              usual.watch_memory ? 1 : 0};
}

NESTLING_API void nestling_application_defaults(nestling_application* application) {
  const nestling::runtime::Application usual;
  *application = {"",
                  nullptr,
                  0,
                  usual.min_accuracy,
                  usual.max_latency_s,
                  usual.alpha,
                  usual.frame_rate,
                  usual.priority};
}

NESTLING_API size_t nestling_read_profile(const char* path, nestling_capacity* capacities,
                                          size_t most) {
  auto read = nestling::runtime::read_profile(path);
  if (!told(read.status())) return 0;
  const auto& costs = read.value();
  for (size_t k = 0; k < costs.size() && k < most; ++k) {
    const auto& c = costs[k];
    capacities[k] = {c.accuracy, c.latency_s, c.memory_bytes, c.page_in_s};
  }
  return costs.size();
}

NESTLING_API nestling_host* nestling_host_open(const nestling_host_options* options) {
  HostOptions wanted;
  wanted.device = {options->memory_bytes, options->processor};
  wanted.threads = options->threads;
  wanted.decision.policy = static_cast<nestling::runtime::Policy>(options->policy);
  wanted.queue = options->queue;
  wanted.feedback = options->feedback != 0;
  wanted.watch_memory = options->watch_memory != 0;
  auto made = Host::make(wanted);
  if (!told(made.status())) return nullptr;
  return new nestling_host{std::move(made.value())};
}

NESTLING_API void nestling_host_close(nestling_host* host) { delete host; }

NESTLING_API uint64_t nestling_add(nestling_host* host, const char* package,
                                   const nestling_application* application) {
  nestling::runtime::Application wanted;
  wanted.name = application->name;
  for (size_t k = 0; k < application->capacity_count; ++k) {
    const nestling_capacity& c = application->capacities[k];
    wanted.capacities.push_back({c.accuracy, c.latency_s, c.memory_bytes, c.page_in_s});
  }
  wanted.min_accuracy = application->min_accuracy;
  wanted.max_latency_s = application->max_latency_s;
  wanted.alpha = application->alpha;
  wanted.frame_rate = application->frame_rate;
  wanted.priority = application->priority;
  auto added = host->host->add(package, wanted);
  return told(added.status()) ? added.value() : 0;
}

NESTLING_API int nestling_remove(nestling_host* host, uint64_t application) {
  return told(host->host->remove(application));
}

NESTLING_API int nestling_set_goals(nestling_host* host, uint64_t application, double min_accuracy,
                                    double max_latency_s) {
  return told(host->host->set_goals(application, min_accuracy, max_latency_s));
}

NESTLING_API int nestling_set_device(nestling_host* host, uint64_t memory_bytes, double processor) {
  return told(host->host->set_device({memory_bytes, processor}));
}

NESTLING_API void nestling_low_memory(nestling_host* host, double seconds) {
  host->host->low_memory(seconds);
}

NESTLING_API nestling_status nestling_submit(nestling_host* host, uint64_t application,
                                             const float* const* inputs, nestling_callback done,
                                             void* user) {
  const Status status = host->host->submit(application, inputs, [done, user](const Frame& frame) {
    std::vector<const float*> outputs;
    for (const auto& output : frame.outputs) outputs.push_back(output.data());
    const nestling_frame given{
        frame.number,   code(frame.status), frame.status.text().c_str(),
        frame.capacity, frame.latency_s,    outputs.empty() ? nullptr : outputs.data(),
        outputs.size()};
    if (done != nullptr) done(&given, user);
  });
  told(status);
  return code(status);
}

NESTLING_API int nestling_tell(nestling_host* host, uint64_t application, nestling_report* report) {
  auto given = host->host->report(application);
  if (!told(given.status())) return 0;
  const auto& r = given.value();
  *report = {r.capacity,
             r.assignment.share,
             r.status.ok() ? 0 : 1,
             r.submitted,
             r.done,
             r.dropped,
             r.refused,
             r.failed,
             r.late,
             r.busy_s,
             r.accuracy,
             r.memory_bytes};
  return 1;
}

}  // extern "C"
