#include "simulate/simulation.h"

#include <functional>
#include <nlohmann/json.hpp>

#include "simulate/generate.h"
#include "support/catch.h"
#include "support/schema.h"
#include "support/temporary_folder.h"

#include "base/error.h"
#include "base/file.h"

using nestling::Workload;

namespace {

// A profile of capacities with {accuracy, latency in ms, bytes, milliseconds of paging}.
std::string profile(const std::vector<std::array<double, 4>>& capacities, double energy_mj = -1) {
  nlohmann::json json = {{"schema", "nestling/profile/1"}, {"capacities", nlohmann::json::array()}};
  for (const auto& [accuracy, latency, bytes, paging] : capacities) {
    json["capacities"].push_back(
        {{"accuracy", accuracy},
         {"latency_ms", {{"median", latency}}},
         {"memory", {{"weights_bytes", static_cast<uint64_t>(bytes)}, {"activation_bytes", 0}}},
         {"upgrade", {{"bytes", static_cast<uint64_t>(bytes)}, {"ms", paging}}},
         {"energy_mj", energy_mj < 0 ? nlohmann::json() : nlohmann::json(energy_mj)}});
  }
  return json.dump();
}

struct Files {
  TemporaryFolder folder;

  Files() {
    nestling::write_file(folder / "net.json",
                         profile({{{0.7, 10, 1000, 500}}, {{0.9, 20, 3000, 1000}}}, 2));
  }
  nlohmann::json workload() const {
    return nlohmann::json::parse(R"({
      "schema": "nestling/workload/1", "duration_s": 100,
      "device": {"memory_bytes": 10000, "processor": 1},
      "applications": [
        {"name": "camera", "profile": "net.json", "min_accuracy": 0.8, "max_latency_ms": 50, "frame_rate": 20},
        {"name": "voice", "profile": "net.json", "min_accuracy": 0.8, "max_latency_ms": 50}
      ],
      "events": [
        {"at_s": 10, "start": "camera"}, {"at_s": 20, "memory_bytes": 2000},
        {"at_s": 40, "memory_bytes": 10000}, {"at_s": 60, "stop": "camera"}
      ]})");
  }
  Workload read(const nlohmann::json& json) const {
    nestling::write_file(folder / "workload.json", json.dump());
    return nestling::read_workload(folder / "workload.json");
  }
};

}  // namespace

TEST_CASE("what an application gets over a workload, by hand") {
  const Files files;
  test::check_schema(files.workload().dump(), "workload.schema.json");
  const Workload workload = files.read(files.workload());
  const auto simulation = nestling::simulate(workload, {});
  const auto& camera = simulation.services.at(0);
  // 10 s to 20 s and 40 s to 60 s at capacity 2, in between at 1, which also serves the second that
  // paging 2 in takes; at first, 1.5 s of paging in serve nothing.
  CHECK(camera.running_s == Approx(50));
  CHECK(camera.served_s == Approx(48.5));
  CHECK(camera.frames == Approx(20 * 48.5));
  CHECK(camera.wanted == Approx(1000));
  CHECK(camera.missed == 0);
  CHECK(camera.accuracy == Approx((0.9 * (8.5 + 19) + 0.7 * 21) / 48.5));
  CHECK(camera.switches == 2);
  CHECK(camera.page_in_bytes == 1000 + 3000 + 3000);
  CHECK(camera.page_in_s == Approx(2.5));
  CHECK(camera.energy_mj == Approx(2 * 20 * 48.5));
  CHECK(camera.memory_bytes == Approx((3000 * 27.5 + 1000 * 21) / 48.5));
  CHECK(simulation.services.at(1).running_s == 0);
  CHECK(simulation.most_memory_bytes == 3000);
  REQUIRE(simulation.moments.size() == 4);
  CHECK(simulation.moments[1].event == "2000 bytes of memory");
  CHECK_THAT(nestling::explain(simulation.moments[1]),
             ContainsSubstring("camera: capacity 1 of 2 with 100.0 %") &&
                 ContainsSubstring("3000 bytes (too many)"));
  test::check_schema(nestling::to_json(workload, simulation, "total").dump(),
                     "simulation.schema.json");
  CHECK_THAT(nestling::simulation_table(workload, simulation), ContainsSubstring("camera"));
}

TEST_CASE(
    "deadlines are missed where the processor does not suffice, and those who find no memory are "
    "told") {
  const Files files;
  auto json = files.workload();
  json["events"] = nlohmann::json::parse(R"([
    {"at_s": 0, "start": "camera"}, {"at_s": 0, "start": "voice"}, {"at_s": 0, "processor": 0.2},
    {"at_s": 50, "memory_bytes": 1500}])");
  const Workload workload = files.read(json);
  const auto simulation = nestling::simulate(workload, {});
  REQUIRE(simulation.moments.size() == 2);  // three events at once are one decision
  double shares = 0;
  for (const auto& a : simulation.moments[0].decision.assignments) shares += a.share;
  CHECK(shares == Approx(0.2));
  CHECK(simulation.services[0].missed > 0);
  CHECK(simulation.services[0].frames < simulation.services[0].wanted);
  // Of equals the first stays.
  CHECK(simulation.moments[1].decision.assignments[1].capacity == 0);
  CHECK(simulation.services[1].served_s < 51);
  CHECK_THAT(nestling::explain(simulation.moments[1]), ContainsSubstring("voice: not served"));
}

TEST_CASE("who runs on the accelerator takes nothing of the processor") {
  const Files files;
  nlohmann::json gpu = nlohmann::json::parse(profile({{{0.7, 10, 1000, 0}}}));
  gpu["device"] = {{"backend", "vulkan"}};
  nestling::write_file(files.folder / "gpu.json", gpu.dump());
  nlohmann::json json = files.workload();
  json["device"]["accelerator"] = 0.8;
  json["applications"] = nlohmann::json::parse(R"([
    {"name": "camera", "profile": "net.json", "min_accuracy": 0.8, "max_latency_ms": 50},
    {"name": "voice", "profile": "gpu.json", "min_accuracy": 0.6, "max_latency_ms": 50},
    {"name": "eyes", "profile": "gpu.json", "min_accuracy": 0.6, "max_latency_ms": 50}
  ])");
  json["events"] = nlohmann::json::parse(R"([
    {"at_s": 0, "start": "camera"}, {"at_s": 0, "start": "voice"}, {"at_s": 50, "start": "eyes"},
    {"at_s": 80, "accelerator": 0.4}
  ])");
  test::check_schema(json.dump(), "workload.schema.json");
  const Workload workload = files.read(json);
  CHECK(nestling::needs_accelerator(workload));
  CHECK_FALSE(nestling::needs_accelerator(files.read(files.workload())));
  files.read(json);
  const auto simulation = nestling::simulate(workload, {});
  CHECK(simulation.services.at(0).frames == Approx(98.5 / 0.02));  // 1.5 s of paging in
  CHECK(simulation.services.at(1).frames == Approx((50 * 0.8 + 30 * 0.4 + 20 * 0.2) / 0.01));
  CHECK(simulation.services.at(2).frames == Approx((30 * 0.4 + 20 * 0.2) / 0.01));
  CHECK_THAT(nestling::explain(simulation.moments.back()),
             ContainsSubstring("20.0 % of the accelerator") &&
                 ContainsSubstring("100.0 % of the processor") &&
                 ContainsSubstring("40 % of the accelerator"));
  // As it is written, it is read.
  const Workload again = files.read(nlohmann::json::parse(nestling::to_json(workload).dump()));
  CHECK(nestling::to_json(again) == nestling::to_json(workload));
}

TEST_CASE("generated workloads are those of their seed, and can be read and played") {
  const Files files;
  for (const std::string& kind : nestling::workload_kinds()) {
    INFO(kind);
    nestling::GenerateOptions options;
    options.kind = kind;
    options.profiles = {(files.folder / "net.json").string()};
    options.seed = 5;
    const auto json = nestling::to_json(nestling::generate_workload(options));
    test::check_schema(json.dump(), "workload.schema.json");
    CHECK(json == nestling::to_json(nestling::generate_workload(options)));
    options.seed = 6;
    CHECK(json != nestling::to_json(nestling::generate_workload(options)));
    const Workload workload = files.read(json);
    CHECK(nestling::to_json(workload) == json);
    for (const auto policy :
         {nestling::runtime::Policy::min_total_cost, nestling::runtime::Policy::min_max_cost,
          nestling::runtime::Policy::fixed}) {
      const auto simulation = nestling::simulate(workload, {.policy = policy});
      double frames = 0;
      for (const auto& service : simulation.services) frames += service.frames;
      CHECK(frames > 0);
      for (const auto& moment : simulation.moments) {
        CHECK(moment.decision.memory_bytes <= moment.problem.device.memory_bytes);
      }
    }
  }
}

TEST_CASE("workloads that make no sense are refused with their place") {
  const Files files;
  const auto error = [&](const std::function<void(nlohmann::json&)>& spoil) -> std::string {
    auto json = files.workload();
    spoil(json);
    try {
      files.read(json);
    } catch (const nestling::Error& problem) {
      return problem.what();
    }
    return "";
  };
  CHECK_THAT(error([](auto& j) { j["events"][0]["start"] = "nobody"; }),
             ContainsSubstring("there is no application \"nobody\""));
  CHECK_THAT(error([](auto& j) { j["applications"][1]["name"] = "camera"; }),
             ContainsSubstring("\"camera\" is there twice"));
  CHECK_THAT(error([](auto& j) { j["applications"][1]["min_accuracy"] = 90; }),
             ContainsSubstring("\"min_accuracy\" is out of range"));
  CHECK_THAT(error([](auto& j) { j["applications"][1]["alpha"] = -1; }),
             ContainsSubstring("has a weight out of range"));
  CHECK_THAT(error([](auto& j) { j["applications"][1]["profile"] = "none.json"; }),
             ContainsSubstring("none.json"));
  CHECK_THAT(error([](auto& j) { j["events"][0].erase("at_s"); }), ContainsSubstring("at_s"));
  CHECK_THAT(error([](auto& j) { j["events"] = 3; }), ContainsSubstring("are lists"));
  nestling::write_file(files.folder / "net.json",
                       R"({"schema": "nestling/profile/1", "capacities": []})");
  CHECK_THAT(error([](auto&) {}), ContainsSubstring("has not 1 to 64 capacities"));
}
