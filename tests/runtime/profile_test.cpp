// Profiles as a device reads them, which may be anybody's.
#include "runtime/profile.h"

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/temporary_folder.h"

#include "base/file.h"

using nestling::runtime::StatusCode;

namespace {

const nlohmann::json kCapacity = {{"capacity", 1},
                                  {"accuracy", 0.75},
                                  {"latency_ms", {{"median", 2.5}, {"p90", 3}}},
                                  {"memory", {{"weights_bytes", 1000}, {"activation_bytes", 24}}},
                                  {"upgrade", {{"bytes", 1000}, {"ms", 4}}},
                                  {"energy_mj", nullptr}};

nlohmann::json profile(int capacities) {
  nlohmann::json json = {{"schema", "nestling/profile/1"}, {"capacities", nlohmann::json::array()}};
  for (int k = 0; k < capacities; ++k) json["capacities"].push_back(kCapacity);
  return json;
}

nestling::runtime::Result<std::vector<nestling::runtime::CapacityCost>> read(
    const std::string& text) {
  const TemporaryFolder folder;
  nestling::write_file(folder / "p.json", text);
  return nestling::runtime::read_profile((folder / "p.json").c_str());
}

}  // namespace

TEST_CASE("a profile gives the scheduler its costs") {
  auto costs = read(profile(2).dump());
  REQUIRE(costs.ok());
  REQUIRE(costs.value().size() == 2);
  CHECK(costs.value()[1].accuracy == 0.75);
  CHECK(costs.value()[1].latency_s == Approx(0.0025));
  CHECK(costs.value()[1].memory_bytes == 1024);
  CHECK(costs.value()[1].page_in_s == Approx(0.004));
}

TEST_CASE("numbers of the same names elsewhere in a profile are not taken for a capacity's") {
  nlohmann::json json = profile(2);
  json["accuracy"] = 0.1;
  json["refined"] = {{{"accuracy", 0.2}, {"latency_ms", {{"median", 7}}}}};
  for (nlohmann::json& capacity : json["capacities"]) {
    capacity["layers"] = {{{"accuracy", 0.3}, {"memory", {{"weights_bytes", 5}}}}};
    capacity["zz"] = {{"memory", {{"weights_bytes", 5}}}, {"upgrade", {{"ms", {{"ms", 9}}}}}};
    capacity["memory"]["zz"] = {{"activation_bytes", 5}};
  }
  json["zz"] = {{"schema", "another"}, {"capacities", {{{"accuracy", 0.4}}}}};
  auto costs = read(json.dump());
  REQUIRE(costs.ok());
  REQUIRE(costs.value().size() == 2);
  for (const auto& cost : costs.value()) {
    CHECK(cost.accuracy == 0.75);
    CHECK(cost.latency_s == Approx(0.0025));
    CHECK(cost.memory_bytes == 1024);
    CHECK(cost.page_in_s == Approx(0.004));
  }
}

TEST_CASE("a corrupt profile is refused with a reason") {
  const auto refuses = [](const std::string& text, const std::string& why) {
    const auto read_back = read(text);
    INFO(text.substr(0, 200));
    REQUIRE_FALSE(read_back.ok());
    CHECK(read_back.status().code() == StatusCode::bad_format);
    CHECK_THAT(read_back.status().text(), Catch::EndsWith(why));
  };
  refuses("", " is not JSON");
  refuses(profile(2).dump().substr(0, 100), " is not JSON");
  refuses(std::string(500000, '['), " is not JSON");
  refuses(std::string(2000000, ' ') + profile(1).dump(), " is not JSON");
  refuses("[]", " is not a profile");
  refuses(R"({"schema": 1})", " is not a profile");
  refuses(R"({"schema": "nestling/workload/1"})", " is not a profile");
  refuses(R"({"schema": "nestling/profile/1"})", " has not 1 to 64 capacities");
  refuses(profile(0).dump(), " has not 1 to 64 capacities");
  refuses(profile(65).dump(), " has not 1 to 64 capacities");
  for (const nlohmann::json& other : {nlohmann::json(1), nlohmann::json::array({kCapacity})}) {
    nlohmann::json mixed = profile(2);
    mixed["capacities"].push_back(other);
    refuses(mixed.dump(), " has not 1 to 64 capacities");
  }
  nlohmann::json named = profile(1);
  named["capacities"] = kCapacity;
  refuses(named.dump(), " has not 1 to 64 capacities");
  named["capacities"] = {{"", kCapacity}};
  refuses(named.dump(), " has not 1 to 64 capacities");
  for (const char* path : {"/accuracy", "/latency_ms", "/latency_ms/median", "/memory",
                           "/memory/weights_bytes", "/memory/activation_bytes", "/upgrade/ms"}) {
    const std::string lacks =
        ": capacity 2 lacks its accuracy, latency_ms.median, memory or upgrade.ms";
    nlohmann::json json = profile(2);
    json["capacities"][1][nlohmann::json::json_pointer(path)] = "many";
    refuses(json.dump(), lacks);
    json["capacities"][1] = json["capacities"][1].flatten();
    json["capacities"][1].erase(path);
    json["capacities"][1] = json["capacities"][1].unflatten();
    refuses(json.dump(), lacks);
  }
  nlohmann::json json = profile(1);
  json["capacities"][0]["latency_ms"]["median"] = -1;
  refuses(json.dump(), ": a capacity has numbers out of range");
  json["capacities"][0] = kCapacity;
  json["capacities"][0]["memory"]["weights_bytes"] = -5;
  CHECK_FALSE(read(json.dump()).ok());
  CHECK(nestling::runtime::read_profile("/nowhere").status().code() == StatusCode::io);
  CHECK_FALSE(nestling::runtime::read_profile("/").ok());
}
