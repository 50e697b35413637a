// A workload played with real packages.
#include "simulate/live.h"

#include <nlohmann/json.hpp>

#include "support/packaged.h"
#include "support/schema.h"

#include "base/error.h"

using namespace nestling;
using test::Packaged;

namespace {

// A profile of a package, with the memory that it takes and latencies that are not this machine's.
void write_profile(const TemporaryFolder& folder, const Packaged& packaged) {
  nlohmann::json json = {{"schema", "nestling/profile/1"},
                         {"package", {{"file", packaged.path.filename().string()}}},
                         {"capacities", nlohmann::json::array()}};
  for (const runtime::CapacityCost& cost : packaged.goals.capacities) {
    json["capacities"].push_back(
        {{"accuracy", cost.accuracy},
         {"latency_ms", {{"median", 1000 * cost.latency_s}}},
         {"memory", {{"weights_bytes", cost.memory_bytes}, {"activation_bytes", 0}}},
         {"upgrade", {{"bytes", 1000}, {"ms", 0.1}}},
         {"energy_mj", nullptr}});
  }
  write_file(folder / (packaged.goals.name + ".json"), json.dump());
}

struct Files {
  TemporaryFolder folder;
  Packaged camera{folder, "camera", 24, 1}, voice{folder, "voice", 16, 2};

  Files() {
    write_profile(folder, camera);
    write_profile(folder, voice);
  }

  Workload read() const {
    const nlohmann::json json = {
        {"schema", "nestling/workload/1"},
        {"duration_s", 1.5},
        {"device", {{"memory_bytes", camera.memory(3) + voice.memory(3)}, {"processor", 1}}},
        {"applications",
         {{{"name", "camera"},
           {"profile", "camera.json"},
           {"min_accuracy", 0.8},
           {"max_latency_ms", 50},
           {"frame_rate", 100}},
          {{"name", "voice"},
           {"profile", "voice.json"},
           {"min_accuracy", 0.8},
           {"max_latency_ms", 50}}}},
        {"events",
         {{{"at_s", 0.1}, {"start", "voice"}},
          {{"at_s", 0.1}, {"start", "camera"}},
          {{"at_s", 0.5}, {"memory_bytes", camera.memory(1) + voice.memory(2)}},
          {{"at_s", 0.8}, {"processor", 0.5}},
          {{"at_s", 0.9}, {"goals", "camera"}, {"min_accuracy", 0.5}, {"max_latency_ms", 20}},
          {{"at_s", 1.0}, {"memory_bytes", camera.memory(3) + voice.memory(3)}},
          {{"at_s", 1.2}, {"stop", "camera"}}}}};
    write_file(folder / "workload.json", json.dump());
    return read_workload(folder / "workload.json");
  }
};

}  // namespace

TEST_CASE("a live workload makes the simulation's decisions") {
  const Files files;
  const Workload workload = files.read();
  for (const auto policy : {runtime::Policy::min_total_cost, runtime::Policy::min_max_cost}) {
    LiveOptions options;
    options.decision.policy = policy;
    options.threads = 2;
    Progress quiet;
    const Live live = play_live(workload, options, quiet);
    CHECK(live.compared == 6);
    CHECK(live.same == 6);
    CHECK(live.failed == 0);
    CHECK(live.refused == 0);
    const Service& camera = live.measured.services[0];
    const Service& voice = live.measured.services[1];
    CHECK(camera.running_s > 0.8);
    CHECK(camera.wanted == Approx(100 * camera.running_s).margin(25));
    CHECK(camera.frames + static_cast<double>(live.dropped) == Approx(camera.wanted).margin(3));
    CHECK(voice.frames > 0);
    CHECK(live.measured.most_memory_bytes <= files.camera.memory(3) + files.voice.memory(3));
    CHECK(camera.switches == live.simulated.services[0].switches);
    CHECK(voice.switches == live.simulated.services[1].switches);
    const std::string table = live_table(workload, live);
    CHECK(table.find("decisions as simulated: 6 of 6") != std::string::npos);
    test::check_schema(to_json(workload, live, "total").dump(), "simulation.schema.json");
  }
}

TEST_CASE("a live workload whose package is missing or another's says so") {
  const Files files;
  const Workload workload = files.read();
  Progress quiet;
  std::filesystem::remove(files.voice.path);
  CHECK_THROWS_WITH(play_live(workload, {}, quiet),
                    Catch::Contains("voice") && Catch::Contains("cannot open"));
}
