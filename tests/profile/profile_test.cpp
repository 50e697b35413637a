#include "profile/profile.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "measure/early_exit.h"
#include "measure/measure.h"
#include "support/catch.h"
#include "support/nested_graph.h"
#include "support/schema.h"
#include "support/temporary_folder.h"
#include "support/test_dataset.h"

#include "base/error.h"
#include "base/file.h"
#include "data/dataset.h"
#include "graph/cost.h"
#include "graph/interpreter.h"
#include "graph/onnx.h"
#include "graph/zoo.h"
#include "package/package.h"

namespace {

// A package of three capacities and data for it.
struct Bench {
  TemporaryFolder folder;
  nestling::Graph nested;
  nestling::ProfileOptions options;
  std::string package = folder / "model.nest";
  nestling::Progress quiet;

  explicit Bench(nestling::Growth growth = nestling::Growth::full) {
    test::write_dataset(folder / "bars", 40, 24);
    nestling::Random random(8);
    nested = test::nested_graph(
        nestling::make_model("small", {.classes = 4, .channels = 1, .height = 8, .width = 8}),
        growth, 3, random);
    nestling::write_file(package, nestling::make_package(nested, "test"));
    options.data = folder / "bars";
    options.run_tool.path = NESTLING_RUN;
    options.runs = 5;
  }
};

// The interpreter's accuracy on the test split.
double expected_accuracy(const nestling::Graph& graph, const std::string& data_folder) {
  nestling::Dataset data = nestling::load_dataset(data_folder, "test");
  data.mean = {0};  // the graph has no preprocessing of its own
  data.deviation = {1};
  int right = 0;
  for (int64_t n = 0; n < data.size(); ++n) {
    const nestling::Tensor x{{1, 1, 8, 8}, nestling::normalised(data, {&n, 1})};
    const auto y = nestling::interpret(graph, x).at(0).data;
    right +=
        std::max_element(y.begin(), y.end()) - y.begin() == data.labels[static_cast<size_t>(n)];
  }
  return right / static_cast<double>(data.size());
}

}  // namespace

TEST_CASE("a profile says what the run tool measures of every capacity") {
  Bench bench;
  nestling::write_file(bench.folder / "vanilla.onnx",
                       nestling::export_onnx(nestling::descend(
                           bench.nested, nestling::nesting_of(bench.nested, "x"), 3)));
  bench.options.vanilla = bench.folder / "vanilla.onnx";
  const nestling::Json profile = nestling::make_profile(bench.package, bench.options, bench.quiet);
  test::check_schema(nestling::json_text(profile), "profile.schema.json");
  const auto nesting = nestling::nesting_of(bench.nested, "x");
  REQUIRE(profile["capacities"].size() == 3);
  for (int k = 1; k <= 3; ++k) {
    const nestling::Json& c = profile["capacities"][static_cast<size_t>(k - 1)];
    const nestling::Graph graph = nestling::descend(bench.nested, nesting, k);
    CHECK(c["macs"] == nestling::count_macs(graph));
    CHECK(c["parameters"] == nestling::count_parameters(graph));
    CHECK(c["accuracy"].get<double>() == Approx(expected_accuracy(graph, bench.options.data)));
    CHECK(c["latency_ms"]["runs"] == 5);
    CHECK(c["latency_ms"]["min"] <= c["latency_ms"]["median"]);
    CHECK(c["upgrade"]["bytes"] > 0);
  }
  uint64_t independent = 0;
  for (int k = 1; k <= 3; ++k) {
    independent += nestling::make_package(nestling::descend(bench.nested, nesting, k), "x").size();
  }
  CHECK(profile["accumulated_bytes"] == independent);
  CHECK(profile["package"]["sha256"] == nestling::sha256(nestling::read_file(bench.package)));
  CHECK(profile["package"]["weights"] == "fp32");
  CHECK(profile["vanilla"]["macs"] == profile["capacities"][2]["macs"]);
  CHECK_FALSE(std::filesystem::exists(bench.package + ".vanilla"));
  CHECK_THAT(nestling::profile_table(profile), ContainsSubstring("vanilla"));
}

TEST_CASE("the runner's command goes before the run tool, and its failure is told") {
  Bench bench;
  const std::string log = bench.folder / "log";
  nestling::write_file(bench.folder / "runner.sh", "echo ran >> " + log + "\nexec \"$@\"\n");
  bench.options.run_tool.runner = "sh " + (bench.folder / "runner.sh").string();
  const nestling::Json profile = nestling::make_profile(bench.package, bench.options, bench.quiet);
  CHECK(profile["vanilla"].is_null());
  CHECK(nestling::read_file(log) == "ran\nran\nran\n");
  bench.options.run_tool.runner = "false";
  CHECK_THROWS_WITH(nestling::make_profile(bench.package, bench.options, bench.quiet),
                    ContainsSubstring("the run tool failed"));
}

TEST_CASE("gates name what does not meet them") {
  const nestling::Json profile = {
      {"package", {{"bytes", 1000}}},
      {"capacities",
       {{{"capacity", 1}, {"accuracy", 0.8}, {"latency_ms", {{"median", 1.0}}}},
        {{"capacity", 2}, {"accuracy", 0.9}, {"latency_ms", {{"median", 3.0}}}}}}};
  CHECK(nestling::check_gates(profile, {}).empty());
  CHECK(nestling::check_gates(profile, {0.8, 3.0, 1000}).empty());
  const std::string problems = nestling::check_gates(profile, {0.85, 2.0, 999});
  CHECK_THAT(problems, ContainsSubstring("capacity 1 has an accuracy of 80.00 %"));
  CHECK_THAT(problems, ContainsSubstring("capacity 2 takes 3.000 ms") &&
                           !ContainsSubstring("capacity 1 takes"));
  CHECK_THAT(problems, ContainsSubstring("1000 bytes, more than 999"));
}

TEST_CASE("answering early is measured as the capacities one by one would answer") {
  Bench bench(nestling::Growth::causal);
  bench.options.refine = true;
  const nestling::Json profile = nestling::make_profile(bench.package, bench.options, bench.quiet);
  test::check_schema(nestling::json_text(profile), "profile.schema.json");
  const nestling::Dataset data = nestling::load_dataset(bench.options.data, "test");
  nestling::runtime::Model model = nestling::open_package(bench.package);
  std::vector<std::vector<float>> outputs;
  for (uint32_t k = 1; k <= 3; ++k) {
    nestling::check(model.set_capacity(k));
    outputs.push_back(nestling::run_all(model, data, bench.quiet));
  }
  const size_t classes = data.classes.size();
  REQUIRE(profile.at("early_exit").size() == 7);
  double before = 0;
  for (const nestling::Json& exit : profile.at("early_exit")) {
    const auto confidence = exit.at("confidence").get<double>();
    INFO(confidence);
    std::vector<int64_t> answered(3, 0);
    double right = 0;
    for (size_t n = 0; n < data.labels.size(); ++n) {
      for (size_t k = 0; k < 3; ++k) {
        const std::span<const float> row(outputs[k].data() + n * classes, classes);
        const auto p = nestling::probabilities(model.header(), row);
        const auto best = std::max_element(p.begin(), p.end());
        if (*best < confidence && k < 2) continue;
        ++answered[k];
        right += best - p.begin() == data.labels[n] ? 1 : 0;
        break;
      }
    }
    CHECK(exit.at("answered").get<std::vector<int64_t>>() == answered);
    CHECK(exit.at("accuracy").get<double>() ==
          Approx(right / static_cast<double>(data.labels.size())));
    const auto macs = exit.at("mean_macs").get<double>();
    CHECK(macs >= before);  // the surer, the more
    before = macs;
  }
  CHECK(nestling::profile_table(profile).find("confidence") != std::string::npos);

  Bench full;
  full.options.refine = true;
  CHECK_THROWS_AS(nestling::make_profile(full.package, full.options, full.quiet), nestling::Error);
}
