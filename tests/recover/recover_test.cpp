#include "recover/recover.h"

#include <algorithm>

#include "support/catch.h"
#include "support/schema.h"
#include "support/temporary_folder.h"
#include "support/test_dataset.h"
#include "support/test_graphs.h"

#include "base/error.h"
#include "base/file.h"
#include "graph/cost.h"
#include "graph/interpreter.h"
#include "graph/onnx.h"
#include "graph/zoo.h"
#include "prune/prune.h"
#include "recover/choose.h"
#include "recover/growth.h"

using nestling::Graph;
using nestling::Growth;
using nestling::Nesting;
using nestling::Tensor;

namespace {

// A pruning run of a ResNet with residual sums, to be grown back.
struct Run {
  TemporaryFolder folder;
  nestling::Dataset data;
  nestling::Progress quiet;
  std::filesystem::path path = folder / "run";

  explicit Run(const Graph& vanilla = Run::vanilla()) {
    test::write_dataset(folder / "bars", 320, 8);
    data = nestling::load_dataset((folder / "bars").string(), "train");
    nestling::prepare_training(1);
    nestling::PruneOptions options;
    options.training = {.epochs = 1, .batch = 32, .learning_rate = 0.02};
    options.min_accuracy = 0.0;
    options.max_iterations = 3;
    options.step = 0.4;
    nestling::prune(vanilla, data, path, options, quiet);
  }
  static Graph vanilla() {
    return nestling::make_model("resnet20", {.classes = 4, .channels = 1, .height = 8, .width = 8});
  }
  Graph recover(Growth growth, bool one_by_one = false) {
    return nestling::recover(path, data,
                             {.capacities = 3,
                              .growth = growth,
                              .one_by_one = one_by_one,
                              .discard = true,
                              .training = {.epochs = 1, .batch = 32, .learning_rate = 0.02}},
                             quiet);
  }
};

// Whether the smaller constant's elements are the first along each axis of the larger one.
bool is_prefix(const Tensor& small, const Tensor& large) {
  for (size_t i = 0; i < small.data.size(); ++i) {
    size_t rest = i, place = 0, stride = 1;
    for (size_t axis = small.shape.size(); axis-- > 0;) {
      const auto size = static_cast<size_t>(small.shape[axis]);
      place += rest % size * stride;
      rest /= size;
      stride *= static_cast<size_t>(large.shape[axis]);
    }
    if (small.data[i] != large.data[place]) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a smaller capacity's parameters are bit-identical in every larger one") {
  Run run;
  for (const Growth growth : {Growth::full, Growth::causal}) {
    INFO(nestling::growth_name(growth));
    const Graph nested =
        nestling::import_onnx(nestling::export_onnx(run.recover(growth, true)), "nested");
    const Nesting nesting = nestling::nesting_of(nested, "nested");
    REQUIRE(nesting.capacities() == 3);
    test::check_schema(nested.metadata.at("nestling.nesting"), "nesting.schema.json");
    CHECK(nestling::count_macs(nested) == nestling::count_macs(Run::vanilla()));
    const std::set<std::string> own(nesting.own.begin(), nesting.own.end());
    int64_t macs = 0;
    for (int k = 1; k <= 3; ++k) {
      const Graph small = nestling::descend(nested, nesting, k);
      CHECK(nestling::count_macs(small) > macs);
      macs = nestling::count_macs(small);
      // What the growing committed is what the nested file holds.
      const Graph committed =
          nestling::load_onnx(run.path / (std::string(nestling::growth_name(growth)) + "-3") /
                              ("capacity" + std::to_string(k) + ".onnx"));
      for (const nestling::Value& value : small.values) {
        if (!value.constant) continue;
        INFO("capacity " << k << ", " << value.name);
        CHECK(*value.constant == committed.constant(nestling::find_value(committed, value.name)));
      }
      for (int larger = k + 1; larger <= 3; ++larger) {
        const Graph large = nestling::descend(nested, nesting, larger);
        int shared = 0;
        for (const nestling::Value& value : small.values) {
          if (!value.constant || own.contains(value.name)) continue;
          INFO("capacity " << k << " in " << larger << ", " << value.name);
          CHECK(
              is_prefix(*value.constant, large.constant(nestling::find_value(large, value.name))));
          ++shared;
        }
        CHECK(shared > 20);
      }
    }
    // The new filters were trained: they are not those of the vanilla model.
    const Graph vanilla = nestling::load_onnx(run.path / "models/000.onnx");
    CHECK(nested.constant(nestling::find_value(nested, "conv1.weight")) !=
          vanilla.constant(nestling::find_value(vanilla, "conv1.weight")));
  }
}

namespace {

// Two blocks of a ConvNeXt: only what is between their fully connected layers can be cut.
Graph blocks_around_a_trunk() {
  test::Builder b(7, {nestling::kBatch, 1, 8, 8});
  nestling::ValueId x = b.conv3x3("stem", b.input(), 8, 2);
  for (const std::string name : {"a", "b"}) {
    nestling::ValueId y =
        b.conv(name + ".depthwise", x, 8, {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}, true, 8);
    y = b.node(name + ".norm", nestling::ChannelNorm{}, {y});
    y = b.node(name + ".scaled", nestling::kMul, {y, b.constant(name + ".scale", {8, 1, 1}, 1)});
    y = b.node(name + ".gelu", nestling::Unary{nestling::Unary::Function::gelu},
               {b.conv(name + ".hidden", y, 24, {})});
    y = b.node(name + ".wide", nestling::kMul, {y, b.constant(name + ".by", {1, 24, 1, 1}, 1)});
    y = b.conv(name + ".back", y, 8, {});
    y = b.node(name + ".less", nestling::kMul, {y, b.constant(name + ".gamma", {}, 1)});
    x = b.node(name + ".sum", nestling::kAdd, {y, x});
  }
  x = b.node("pool", nestling::global_average_pool(), {x});
  return b.finish(b.gemm("head", b.node("flatten", nestling::flatten(), {x}), 4));
}

}  // namespace

TEST_CASE("layers of which no filter can be cut are shared, and stay") {
  Run run(blocks_around_a_trunk());
  for (const Growth growth : {Growth::full, Growth::joint, Growth::causal}) {
    INFO(nestling::growth_name(growth));
    const Graph nested = run.recover(growth, growth != Growth::joint);
    const Nesting nesting = nestling::nesting_of(nested, "nested");
    const std::set<std::string> own(nesting.own.begin(), nesting.own.end());
    CHECK(own.contains("head.weight"));
    // Filters of the trunk that see more in larger capacities cannot be the same in causal growth.
    CHECK(own.contains("a.back.weight") == (growth == Growth::causal));
    for (int k = 1; k <= 3; ++k) {
      const Graph small = nestling::descend(nested, nesting, k);
      const Graph committed =
          growth == Growth::joint
              ? small
              : nestling::load_onnx(run.path / (std::string(nestling::growth_name(growth)) + "-3") /
                                    ("capacity" + std::to_string(k) + ".onnx"));
      for (const nestling::Value& value : small.values) {
        if (!value.constant) continue;
        INFO("capacity " << k << ", " << value.name);
        CHECK(*value.constant == committed.constant(nestling::find_value(committed, value.name)));
        if (own.contains(value.name)) continue;
        CHECK(
            is_prefix(*value.constant, nested.constant(nestling::find_value(nested, value.name))));
      }
    }
  }
}

TEST_CASE("in causal growth the smaller feature maps reappear bit for bit") {
  Run run;
  nestling::Random random(4);
  const Tensor x = test::random_tensor({2, 1, 8, 8}, random);
  const auto maps_reappear = [&](Growth growth, bool one_by_one = false) {
    const Graph nested = run.recover(growth, one_by_one);
    const Nesting nesting = nestling::nesting_of(nested, "nested");
    const Graph small = nestling::descend(nested, nesting, 1);
    const auto few = nestling::interpret_all(small, {x});
    const auto many = nestling::interpret_all(nested, {x});
    int compared = 0;
    for (const nestling::Node& node : small.nodes) {
      const std::string& name = small.value(node.output).name;
      if (name == "logits" || name == "flatten") continue;  // the head, and its flat input
      const Tensor& large = many[static_cast<size_t>(nestling::find_value(nested, name))];
      const Tensor& mine = few[static_cast<size_t>(node.output)];
      // The channels are a prefix of each image's.
      if (!is_prefix(mine, large)) return false;
      ++compared;
    }
    CHECK(compared > 50);
    return true;
  };
  CHECK(maps_reappear(Growth::causal));
  CHECK(maps_reappear(Growth::causal, true));
  CHECK_FALSE(maps_reappear(Growth::full));
}

TEST_CASE("a recovery that is killed goes on and ends with the same bytes") {
  Run run;
  struct Killer : nestling::Progress {
    void note(const std::string& sentence) override {
      if (sentence.starts_with("capacity 2")) throw std::runtime_error("killed");
    }
  } killer;
  const std::string whole = nestling::export_onnx(run.recover(Growth::full));
  std::filesystem::remove_all(run.path / "full-3");
  std::filesystem::remove(run.path / "multicapacity.onnx");
  const nestling::RecoverOptions options{
      .capacities = 3,
      .growth = Growth::full,
      .training = {.epochs = 1, .batch = 32, .learning_rate = 0.02}};
  CHECK_THROWS_WITH(nestling::recover(run.path, run.data, options, killer), "killed");
  CHECK_FALSE(std::filesystem::exists(run.path / "multicapacity.onnx"));
  nestling::recover(run.path, run.data, options, run.quiet);
  CHECK(nestling::read_file(run.path / "multicapacity.onnx") == whole);
}

TEST_CASE("entries are spread evenly in MACs") {
  nestling::Roadmap roadmap;
  for (const int64_t macs : {100, 71, 50, 35, 26, 17, 11, 8, 6}) {
    roadmap.entries.push_back({.index = static_cast<int>(roadmap.entries.size()), .macs = macs});
  }
  CHECK(nestling::choose_entries(roadmap, 5) == std::vector<int>{8, 4, 2, 1, 0});
  CHECK(nestling::choose_entries(roadmap, 2) == std::vector<int>{8, 0});
  CHECK(nestling::choose_entries(roadmap, 9) == std::vector<int>{8, 7, 6, 5, 4, 3, 2, 1, 0});
  CHECK_THROWS_WITH(nestling::choose_entries(roadmap, 10), ContainsSubstring("too few for 10"));
  // Or in what inferences take, where that was measured.
  CHECK_THROWS_WITH(nestling::choose_entries(roadmap, 3, nestling::Spread::latency),
                    ContainsSubstring("nothing of latencies"));
  for (auto& entry : roadmap.entries) entry.latency_ms = 100 - 10 * entry.index;
  CHECK(nestling::choose_entries(roadmap, 5, nestling::Spread::latency) ==
        std::vector<int>{8, 6, 4, 2, 0});
}

TEST_CASE("entries are spread for the highest mean accuracy of all budgets") {
  // Brute force over all choices.
  const uint64_t seed = 17;
  INFO("seed " << seed);
  nestling::Random random(seed);
  for (int trial = 0; trial < 50; ++trial) {
    const auto count = static_cast<int>(3 + random.below(6));
    nestling::Roadmap roadmap;
    int64_t macs = 10000;
    for (int e = 0; e < count; ++e) {
      roadmap.entries.push_back({.index = e, .accuracy = random.uniform(), .macs = macs});
      macs -= static_cast<int64_t>(1 + random.below(1000));
    }
    const auto mean_accuracy = [&](const std::vector<int>& chosen) {
      double area = 0;
      for (size_t k = 0; k + 1 < chosen.size(); ++k) {
        const auto &small = roadmap.entries[static_cast<size_t>(chosen[k])],
                   &large = roadmap.entries[static_cast<size_t>(chosen[k + 1])];
        area += static_cast<double>(large.macs - small.macs) * small.accuracy;
      }
      return area;
    };
    const auto capacities = static_cast<int>(2 + random.below(static_cast<uint64_t>(count - 1)));
    double highest = -1;
    for (unsigned between = 0; between < 1U << (count - 2); ++between) {
      std::vector<int> chosen = {count - 1};
      for (int e = count - 2; e >= 1; --e) {
        if ((between >> (e - 1) & 1U) != 0) chosen.push_back(e);
      }
      chosen.push_back(0);
      if (std::ssize(chosen) == capacities) highest = std::max(highest, mean_accuracy(chosen));
    }
    const auto chosen = nestling::choose_entries(roadmap, capacities, nestling::Spread::accuracy);
    REQUIRE(std::ssize(chosen) == capacities);
    CHECK(chosen.front() == count - 1);
    CHECK(chosen.back() == 0);
    CHECK(std::is_sorted(chosen.rbegin(), chosen.rend()));
    CHECK(mean_accuracy(chosen) == Approx(highest));
  }
}

TEST_CASE("what a capacity adds begins as its entry, the vanilla model, or anew") {
  Run run;
  // Whether the filters that the second capacity adds, without training, are made of the weights
  // that `model` has in the same layers.
  const auto made_of = [&](const Graph& nested, const std::string& model) {
    const Graph entry = nestling::load_onnx(run.path / model);
    const Nesting nesting = nestling::nesting_of(nested, "nested");
    const Graph first = nestling::descend(nested, nesting, 1),
                second = nestling::descend(nested, nesting, 2);
    int filters = 0;
    for (const nestling::Value& value : second.values) {
      if (!value.constant || value.shape.size() != 4) continue;
      const std::vector<float>& weights = value.constant->data;
      const size_t size = weights.size() / static_cast<size_t>(value.shape[0]);
      const auto before = first.value(nestling::find_value(first, value.name)).shape[0];
      const std::vector<float>& there =
          entry.constant(nestling::find_value(entry, value.name)).data;
      const std::set<float> known(there.begin(), there.end());
      for (size_t i = static_cast<size_t>(before) * size; i < weights.size(); ++i) {
        if (!known.contains(weights[i])) return false;
        ++filters;
      }
    }
    CHECK(filters > 10);
    return true;
  };
  for (const auto regrown :
       {nestling::Regrown::entry, nestling::Regrown::vanilla, nestling::Regrown::fresh}) {
    INFO(nestling::regrown_name(regrown));
    std::filesystem::remove_all(run.path / "full-3");
    const Graph nested = nestling::recover(
        run.path, run.data,
        {.capacities = 3, .regrown = regrown, .training = {.epochs = 0, .batch = 32}}, run.quiet);
    const nestling::Roadmap roadmap = nestling::read_roadmap(run.path);
    const auto second = static_cast<size_t>(nestling::choose_entries(roadmap, 3)[1]);
    CHECK(made_of(nested, roadmap.entries[second].model) == (regrown == nestling::Regrown::entry));
    CHECK(made_of(nested, roadmap.entries[0].model) == (regrown == nestling::Regrown::vanilla));
  }
}

TEST_CASE("a nesting that does not fit is refused") {
  Run run;
  Graph nested = run.recover(Growth::full);
  const std::string good = nested.metadata.at("nestling.nesting");
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    nested.metadata["nestling.nesting"] = text;
    try {
      nestling::nesting_of(nested, "x.onnx");
    } catch (const nestling::Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK_THAT(refused("\"conv1\"", "\"conv99\""),
             ContainsSubstring("conv99 is not a channel group"));
  CHECK_THAT(refused("\"widths\":[", "\"widths\":[0,"), ContainsSubstring("do not fit"));
  CHECK_THAT(refused("\"own\":[", "\"own\":[\"nothing\","), ContainsSubstring("no tensor nothing"));
  CHECK_THAT(refused("full", "half"), ContainsSubstring("no growth half"));
}
