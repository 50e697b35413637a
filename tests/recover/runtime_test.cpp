// A model that was really grown, on the device's runtime and in LibTorch.

#include "measure/measure.h"
#include "support/catch.h"
#include "support/temporary_folder.h"
#include "support/test_dataset.h"
#include "support/unlabelled.h"

#include "base/file.h"
#include "graph/cost.h"
#include "graph/nesting.h"
#include "graph/zoo.h"
#include "package/package.h"
#include "prune/prune.h"
#include "recover/recover.h"
#include "train/evaluate.h"
#include "train/fit.h"
#include "train/train.h"

namespace {

// What a package computes at every capacity, against LibTorch on the same capacity's network.
void check_package(const nestling::Graph& nested, const std::filesystem::path& file,
                   const nestling::Dataset& images) {
  nestling::Progress quiet;
  const auto nesting = nestling::nesting_of(nested, "nested");
  nestling::write_file(file, nestling::make_package(nested, "nested"));
  auto model = nestling::open_package(file);
  for (int k = 1; k <= nesting.capacities(); ++k) {
    INFO("capacity " << k);
    nestling::check(model.set_capacity(static_cast<uint32_t>(k)));
    const auto found = nestling::run_all(model, images, quiet);
    const auto expected = nestling::outputs(nestling::descend(nested, nesting, k), images);
    REQUIRE(found.size() == expected.size());
    float largest = 0, difference = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      largest = std::max(largest, std::abs(expected[i]));
      difference = std::max(difference, std::abs(found[i] - expected[i]));
    }
    CHECK(difference < 1e-4F * largest);
  }
}

}  // namespace

TEST_CASE("the runtime's outputs are LibTorch's on every capacity") {
  const TemporaryFolder folder;
  test::write_dataset(folder / "bars", 320, 40);
  const auto data = nestling::load_dataset(folder / "bars", "train");
  const auto images = nestling::load_dataset(folder / "bars", "test");
  nestling::prepare_training(1);
  nestling::Progress quiet;
  nestling::PruneOptions pruning;
  pruning.training = {.epochs = 1, .batch = 32, .learning_rate = 0.02};
  pruning.min_accuracy = 0;
  pruning.max_iterations = 2;
  auto vanilla =
      nestling::make_model("resnet20", {.classes = 4, .channels = 1, .height = 8, .width = 8});
  vanilla.metadata["nestling.mean"] = "[0.25]";
  vanilla.metadata["nestling.deviation"] = "[0.2]";
  nestling::prune(vanilla, data, folder / "run", pruning, quiet);
  for (const auto growth :
       {nestling::Growth::full, nestling::Growth::causal, nestling::Growth::joint}) {
    INFO(nestling::growth_name(growth));
    const auto nested =
        nestling::recover(folder / "run", data,
                          {.capacities = 3, .growth = growth, .training = pruning.training}, quiet);
    check_package(nested, folder / "model.nest", images);
  }
}

TEST_CASE("every network of the zoo is cut to half its MACs, grown, packed and run") {
  const TemporaryFolder folder;
  test::write_dataset(folder / "bars", 72, 6, 32);
  const auto data = nestling::load_dataset(folder / "bars", "train");
  const auto images = nestling::load_dataset(folder / "bars", "test");
  nestling::prepare_training(1);
  nestling::Progress quiet;
  for (const std::string& name : nestling::zoo_names()) {
    INFO(name);
    auto vanilla = nestling::make_model(name, {.classes = 4, .channels = 1, .multiplier = 0.25});
    vanilla.metadata["nestling.mean"] = "[0.25]";
    vanilla.metadata["nestling.deviation"] = "[0.2]";
    nestling::PruneOptions pruning;
    pruning.training = {.epochs = 1, .batch = 16, .learning_rate = 0.001};
    pruning.min_accuracy = 0;
    pruning.step = 0.3;
    pruning.target = nestling::Budget{.macs = nestling::count_macs(vanilla) / 2};
    pruning.rules.round_to = 2;
    const auto roadmap = nestling::prune(vanilla, data, folder / name, pruning, quiet);
    CHECK(roadmap.seed().macs <= roadmap.entries[0].macs / 2);
    const auto nested = nestling::recover(folder / name, data,
                                          {.capacities = 3, .training = pruning.training}, quiet);
    check_package(nested, folder / "model.nest", images);
  }
}

TEST_CASE("a network without classes is grown, packed and run") {
  const TemporaryFolder folder;
  const auto data = test::unlabelled_images(100);
  nestling::prepare_training(1);
  nestling::Progress quiet;
  nestling::PruneOptions pruning;
  pruning.ranking = "l1";
  pruning.training = {.epochs = 1, .batch = 16, .learning_rate = 0.01};
  pruning.min_accuracy = 0;
  pruning.max_iterations = 2;
  auto graph = test::super_resolution(1);
  nestling::adopt(graph, data);
  nestling::prune(graph, data, folder / "run", pruning, quiet);
  const nestling::RecoverOptions growing{.capacities = 3, .training = pruning.training};
  const auto nested = nestling::recover(folder / "run", data, growing, quiet);
  const auto nesting = nestling::nesting_of(nested, "nested");
  CHECK(nesting.accuracy.back() > 0.7);  // agreement with the vanilla model
  check_package(nested, folder / "model.nest", data);
  auto labelled = data;
  labelled.classes = {"a", "b"};
  CHECK_THROWS_WITH(nestling::recover(folder / "run", labelled, growing, quiet),
                    ContainsSubstring("judged without labels"));
}
