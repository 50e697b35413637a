#include "prune/roadmap.h"

#include <system_error>

#include "base/error.h"
#include "base/json_fields.h"

namespace nestling {
namespace {
constexpr const char* kSchema = "nestling/roadmap/1";
}  // namespace

Json to_json(const Roadmap& roadmap) {
  Json entries = Json::array();
  for (const RoadmapEntry& entry : roadmap.entries) {
    Json pruned = Json::object();
    for (const auto& [group, filters] : entry.pruned) pruned[group] = filters;
    entries.push_back({{"index", entry.index},
                       {"model", entry.model},
                       {"accuracy", entry.accuracy},
                       {"parameters", entry.parameters},
                       {"macs", entry.macs},
                       {"pruned", pruned}});
    if (entry.latency_ms) entries.back()["latency_ms"] = *entry.latency_ms;
  }
  Json rejected;
  if (roadmap.rejected) {
    rejected = {{"accuracy", roadmap.rejected->accuracy}, {"macs", roadmap.rejected->macs}};
  }
  return {{"schema", kSchema},
          {"ranking", roadmap.ranking},
          {"measure", roadmap.measure},
          {"min_accuracy", roadmap.min_accuracy},
          {"data", {{"name", roadmap.data_name}, {"digest", roadmap.data_digest}}},
          {"seed_entry", roadmap.seed().index},
          {"complete", roadmap.complete},
          {"rejected", rejected},
          {"entries", entries}};
}

Roadmap read_roadmap(const std::filesystem::path& run) {
  const std::filesystem::path path = run / "roadmap.json";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    fail("{} holds no roadmap.json; nestling-prune makes one", run.string());
  }
  const std::string where = path.string();
  const Json json = read_json(path);
  check_schema(json, kSchema, where);
  Roadmap roadmap;
  roadmap.ranking = field<std::string>(json, "ranking", where);
  roadmap.measure = field<std::string>(json, "measure", where);
  if (roadmap.measure != "accuracy" && roadmap.measure != "top-1" && roadmap.measure != "cosine") {
    fail("{}: there is no measure {}", where, roadmap.measure.substr(0, 40));
  }
  roadmap.min_accuracy = field<double>(json, "min_accuracy", where);
  const Json data = field<Json>(json, "data", where);
  roadmap.data_name = field<std::string>(data, "name", where);
  roadmap.data_digest = field<std::string>(data, "digest", where);
  roadmap.complete = field<bool>(json, "complete", where);
  const Json rejected = field<Json>(json, "rejected", where);
  if (!rejected.is_null()) {
    roadmap.rejected = {field<double>(rejected, "accuracy", where),
                        field<int64_t>(rejected, "macs", where)};
  }
  const Json entries = field<Json>(json, "entries", where);
  if (!entries.is_array()) fail("{}: the field \"entries\" has the wrong type", where);
  for (const Json& item : entries) {
    RoadmapEntry entry;
    entry.index = field<int>(item, "index", where);
    if (entry.index != static_cast<int>(roadmap.entries.size())) {
      fail("{}: the entries are not numbered in their order", where);
    }
    entry.model = field<std::string>(item, "model", where);
    if (entry.model.find("..") != std::string::npos || entry.model.starts_with('/')) {
      fail("{}: the model {} is not inside the run's folder", where, entry.model);
    }
    entry.accuracy = field<double>(item, "accuracy", where);
    entry.parameters = field<int64_t>(item, "parameters", where);
    entry.macs = field<int64_t>(item, "macs", where);
    if (item.contains("latency_ms")) entry.latency_ms = field<double>(item, "latency_ms", where);
    const auto pruned = field<Json>(item, "pruned", where);
    for (const auto& [group, filters] : pruned.items()) {
      entry.pruned[group] = field<std::vector<int64_t>>(pruned, group.c_str(), where);
    }
    roadmap.entries.push_back(std::move(entry));
  }
  if (roadmap.entries.empty()) fail("{} has no entries", where);
  return roadmap;
}

}  // namespace nestling
