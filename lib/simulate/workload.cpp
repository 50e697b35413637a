#include "simulate/workload.h"

#include <algorithm>
#include <cmath>

#include "runtime/profile.h"

#include "base/error.h"
#include "base/json_fields.h"

namespace nestling {
namespace {

constexpr const char* kSchema = "nestling/workload/1";
constexpr size_t kMaxApplications = 1024, kMaxEvents = 1000000;

double number(const Json& json, const char* key, const std::string& where, double least,
              double most) {
  const auto value = field<double>(json, key, where);
  if (!(value >= least && value <= most)) fail("{}: the field \"{}\" is out of range", where, key);
  return value;
}

size_t application_named(const Workload& workload, const std::string& name,
                         const std::string& where) {
  for (size_t i = 0; i < workload.applications.size(); ++i) {
    if (workload.applications[i].goals.name == name) return i;
  }
  fail("{}: there is no application \"{}\"", where, name.substr(0, 100));
}

WorkloadApplication read_application(const Json& json, const std::filesystem::path& folder,
                                     const std::string& where) {
  WorkloadApplication application;
  runtime::Application& goals = application.goals;
  goals.name = field<std::string>(json, "name", where);
  goals.min_accuracy = number(json, "min_accuracy", where, 0, 1);
  goals.max_latency_s = number(json, "max_latency_ms", where, 1e-6, 1e9) / 1000;
  goals.alpha = field_or<double>(json, "alpha", where, goals.alpha);
  goals.frame_rate = field_or<double>(json, "frame_rate", where, goals.frame_rate);
  goals.priority = field_or<double>(json, "priority", where, goals.priority);
  application.profile = field<std::string>(json, "profile", where);
  read_profile(folder / application.profile, application);
  return application;
}

Event read_event(const Json& json, const Workload& workload, const std::string& where) {
  Event event;
  event.at_s = number(json, "at_s", where, 0, 1e9);
  const auto named = [&](const char* key) {
    return application_named(workload, field<std::string>(json, key, where), where);
  };
  if (json.contains("start")) {
    event.kind = Event::Kind::start;
    event.application = named("start");
  } else if (json.contains("stop")) {
    event.kind = Event::Kind::stop;
    event.application = named("stop");
  } else if (json.contains("goals")) {
    event.kind = Event::Kind::goals;
    event.application = named("goals");
    event.min_accuracy = number(json, "min_accuracy", where, 0, 1);
    event.max_latency_s = number(json, "max_latency_ms", where, 1e-6, 1e9) / 1000;
  } else if (json.contains("memory_bytes")) {
    event.kind = Event::Kind::memory;
    event.memory_bytes = field<uint64_t>(json, "memory_bytes", where);
  } else if (json.contains("accelerator")) {
    event.kind = Event::Kind::accelerator;
    event.processor = number(json, "accelerator", where, 1e-6, 1);
  } else {
    event.kind = Event::Kind::processor;
    event.processor = number(json, "processor", where, 1e-6, 1);
  }
  return event;
}

}  // namespace

bool needs_accelerator(const Workload& workload) {
  return std::any_of(workload.applications.begin(), workload.applications.end(),
                     [](const WorkloadApplication& one) {
                       return one.goals.processor == runtime::Processor::accelerator;
                     });
}

void read_profile(const std::filesystem::path& path, WorkloadApplication& application) {
  const std::string where = path.string();
  const Json json = read_json(path);
  const Json package = field_or<Json>(json, "package", where, Json::object());
  const auto file = field_or<std::string>(package, "file", where, "");
  application.package = path.parent_path() / std::filesystem::path(file).filename();
  const Json device = field_or<Json>(json, "device", where, Json::object());
  if (field_or<std::string>(device, "backend", where, "cpu") != "cpu") {
    application.goals.processor = runtime::Processor::accelerator;
  }
  auto costs = runtime::read_profile(path.c_str());
  if (!costs.ok()) fail("{}", costs.status().text());
  application.goals.capacities = std::move(costs.value());
  for (const Json& capacity : field<Json>(json, "capacities", where)) {
    const Json upgrade = field<Json>(capacity, "upgrade", where);
    application.page_in_bytes.push_back(field<uint64_t>(upgrade, "bytes", where));
    const Json energy = field<Json>(capacity, "energy_mj", where);
    application.energy.push_back(energy.is_number() ? std::optional(energy.get<double>())
                                                    : std::nullopt);
  }
}

Workload read_workload(const std::filesystem::path& path) {
  const std::string where = path.string();
  const Json json = read_json(path);
  check_schema(json, kSchema, where);
  Workload workload;
  workload.duration_s = number(json, "duration_s", where, 1e-3, 1e9);
  const Json device = field<Json>(json, "device", where);
  workload.device.memory_bytes = field<uint64_t>(device, "memory_bytes", where);
  workload.device.processor = number(device, "processor", where, 1e-6, 1);
  if (device.contains("accelerator")) {
    workload.device.accelerator = number(device, "accelerator", where, 1e-6, 1);
  }
  const Json applications = field<Json>(json, "applications", where);
  const Json events = field<Json>(json, "events", where);
  if (!applications.is_array() || !events.is_array() || applications.size() > kMaxApplications ||
      events.size() > kMaxEvents) {
    fail("{}: \"applications\" and \"events\" are lists, of at most {} and {}", where,
         kMaxApplications, kMaxEvents);
  }
  for (const Json& one : applications) {
    workload.applications.push_back(read_application(one, path.parent_path(), where));
    const std::string& name = workload.applications.back().goals.name;
    if (application_named(workload, name, where) + 1 != workload.applications.size()) {
      fail("{}: the application \"{}\" is there twice", where, name.substr(0, 100));
    }
  }
  for (const Json& one : events) workload.events.push_back(read_event(one, workload, where));
  std::stable_sort(workload.events.begin(), workload.events.end(),
                   [](const Event& a, const Event& b) { return a.at_s < b.at_s; });
  runtime::Problem all{workload.device, {}};
  for (const WorkloadApplication& one : workload.applications)
    all.applications.push_back(one.goals);
  const runtime::Status status = runtime::check_problem(all, {});
  if (!status.ok()) fail("{}: {}", where, status.text());
  return workload;
}

Json to_json(const Workload& workload) {
  Json applications = Json::array(), events = Json::array();
  for (const WorkloadApplication& one : workload.applications) {
    applications.push_back({{"name", one.goals.name},
                            {"profile", one.profile},
                            {"min_accuracy", one.goals.min_accuracy},
                            {"max_latency_ms", 1000 * one.goals.max_latency_s},
                            {"alpha", one.goals.alpha},
                            {"frame_rate", one.goals.frame_rate},
                            {"priority", one.goals.priority}});
  }
  for (const Event& event : workload.events) {
    Json json = {{"at_s", event.at_s}};
    const std::string name =
        workload.applications.empty() ? "" : workload.applications[event.application].goals.name;
    switch (event.kind) {
      case Event::Kind::start:
        json["start"] = name;
        break;
      case Event::Kind::stop:
        json["stop"] = name;
        break;
      case Event::Kind::goals:
        json["goals"] = name;
        json["min_accuracy"] = event.min_accuracy;
        json["max_latency_ms"] = 1000 * event.max_latency_s;
        break;
      case Event::Kind::memory:
        json["memory_bytes"] = event.memory_bytes;
        break;
      case Event::Kind::processor:
        json["processor"] = event.processor;
        break;
      case Event::Kind::accelerator:
        json["accelerator"] = event.processor;
        break;
    }
    events.push_back(std::move(json));
  }
  return {{"schema", kSchema},
          {"duration_s", workload.duration_s},
          {"device",
           {{"memory_bytes", workload.device.memory_bytes},
            {"processor", workload.device.processor},
            {"accelerator", workload.device.accelerator}}},
          {"applications", applications},
          {"events", events}};
}

}  // namespace nestling
