// What a user sees of GPUs.
#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/schema.h"
#include "support/workplace.h"

#include "base/file.h"

using nlohmann::json;
using test::Workplace;

TEST_CASE("a package runs and is profiled on a GPU") {
  const Workplace work;
  const json devices = work.result("nestling-run --list-devices")["devices"];
  REQUIRE_FALSE(devices.empty());
  work.result("nestling-train --data bars --epochs 1 --batch 32 --out v.onnx");
  work.result("nestling-convert v.onnx --out m.nest");
  const json cpu = work.result("nestling-run m.nest --data bars");
  CHECK(cpu["backend"] == "cpu");
  const json gpu = work.result("nestling-run m.nest --data bars --backend vulkan --layers");
  CHECK(gpu["backend"] == "vulkan");
  CHECK(gpu["gpu"] == devices[0]["name"]);
  CHECK(gpu["cpu_layers"]["layers"] == 0);
  CHECK(gpu["accuracy"] == cpu["accuracy"]);
  CHECK(gpu["layers"].size() > 4);
  const json profile =
      work.result("nestling-profile m.nest --data bars --backend vulkan --runs 2 --out p.json");
  test::check_schema(nestling::read_file(work.folder / "p.json"), "profile.schema.json");
  CHECK(profile["device"]["gpu"] == devices[0]["name"]);
  CHECK(profile["capacities"][0]["accuracy"] == cpu["accuracy"]);

  CHECK(gpu["arithmetic"] == "fp32");
  const std::string strict = "nestling-run m.nest --data bars --backend vulkan --gpu-fp16 1e-9";
  CHECK_THAT(work.run(strict).out, ContainsSubstring("computed in float32: the GPU"));
  CHECK(work.result(strict)["arithmetic"] == "fp32");
  const json half = work.result(
      "nestling-profile m.nest --data bars --backend vulkan --gpu-fp16 0.02 --runs 2 --out h.json");
  test::check_schema(nestling::read_file(work.folder / "h.json"), "profile.schema.json");
  CHECK(half["device"].contains("arithmetic"));

  work.result("nestling-run m.nest --data bars --backend vulkan --slice-ms 0 --gpu-cache kernels");
  CHECK(std::filesystem::exists(work.folder / "kernels"));
  const auto unwritable =
      work.run("nestling-run m.nest --data bars --backend vulkan --gpu-cache none/kernels");
  CHECK(unwritable.status == 1);
  CHECK_THAT(unwritable.err, ContainsSubstring("none/kernels cannot be written"));

  // A software GPU is slower than the CPU that it runs on: nobody gets it without asking.
  const bool software = devices[0]["kind"] == "cpu";
  const json chosen = work.result("nestling-run m.nest --data bars --backend auto");
  CHECK(chosen["backend"] == (software ? "cpu" : "vulkan"));
}

TEST_CASE("applications on a GPU and on the CPU are scheduled, and played live") {
  const Workplace work;
  work.result("nestling-train --data bars --epochs 0 --out v.onnx");
  work.result("nestling-convert v.onnx --out m.nest");
  work.result("nestling-profile m.nest --data bars --runs 2 --tuning fast --out cpu.json");
  work.result("nestling-profile m.nest --data bars --runs 2 --backend vulkan --out gpu.json");
  nestling::write_file(work.folder / "two.json", R"({
    "schema": "nestling/workload/1", "duration_s": 2,
    "device": {"memory_bytes": 100000000, "processor": 1, "accelerator": 0.5},
    "applications": [
      {"name": "camera", "profile": "cpu.json", "min_accuracy": 0, "max_latency_ms": 50},
      {"name": "voice", "profile": "gpu.json", "min_accuracy": 0, "max_latency_ms": 50}
    ],
    "events": [{"at_s": 0, "start": "camera"}, {"at_s": 0, "start": "voice"}]})");
  const json simulated = work.result("nestling-schedule --simulate two.json");
  const json shares = simulated["moments"][0]["assignments"];
  CHECK(shares[0]["share"] == Approx(1));
  CHECK(shares[1]["share"] == Approx(0.5));
  const json live = work.result("nestling-schedule --simulate two.json --live --tuning fast");
  for (const auto& application : live["applications"]) CHECK(application["frames"] > 10);
  const auto none =
      work.run("VK_ICD_FILENAMES=/dev/null nestling-schedule --simulate two.json --live");
  CHECK(none.status == 1);
  CHECK(std::count(none.err.begin(), none.err.end(), '\n') == 1);
  const auto untuned = work.run("nestling-schedule --simulate two.json --live --tuning none");
  CHECK(untuned.status == 2);
  CHECK_THAT(untuned.err, ContainsSubstring("File does not exist: none"));
}

TEST_CASE("a GPU that is not there is said to be so") {
  const Workplace work;
  work.result("nestling-train --data bars --epochs 0 --out v.onnx");
  work.result("nestling-convert v.onnx --out m.nest");
  const auto missing = work.run("nestling-run m.nest --bench --backend vulkan --gpu 9");
  CHECK(missing.status == 1);
  CHECK_THAT(missing.err, ContainsSubstring("there is no GPU 9"));
  // As on a machine without drivers.
  const auto none =
      work.run("VK_ICD_FILENAMES=/dev/null nestling-run m.nest --bench --backend vulkan");
  CHECK(none.status == 1);
  CHECK(std::count(none.err.begin(), none.err.end(), '\n') == 1);
  CHECK(work.run("VK_ICD_FILENAMES=/dev/null nestling-run m.nest --bench --backend auto").status ==
        0);
  CHECK(work.run("nestling-run --list-devices m.nest").status == 2);
  CHECK(work.run("nestling-run").status == 2);
}
