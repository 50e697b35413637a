// A model that was really grown, on the device's runtime and in LibTorch.

#include "measure/measure.h"
#include "support/catch.h"
#include "support/temporary_folder.h"
#include "support/test_dataset.h"

#include "base/file.h"
#include "graph/nesting.h"
#include "graph/zoo.h"
#include "package/package.h"
#include "prune/prune.h"
#include "recover/recover.h"
#include "train/train.h"

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
  for (const auto growth : {nestling::Growth::full, nestling::Growth::causal}) {
    const auto nested =
        nestling::recover(folder / "run", data,
                          {.capacities = 3, .growth = growth, .training = pruning.training}, quiet);
    const auto nesting = nestling::nesting_of(nested, "nested");
    nestling::write_file(folder / "model.nest", nestling::make_package(nested, "nested"));
    auto model = nestling::open_package(folder / "model.nest", 1);
    for (int k = 1; k <= 3; ++k) {
      INFO(nestling::growth_name(growth) << ", capacity " << k);
      nestling::check(model.set_capacity(static_cast<uint32_t>(k)));
      const auto found = nestling::run_all(model, images, quiet);
      const auto expected = nestling::outputs(nestling::descend(nested, nesting, k), images);
      REQUIRE(found.size() == expected.size());
      float largest = 0;
      for (const float e : expected) largest = std::max(largest, std::abs(e));
      for (size_t i = 0; i < found.size(); ++i) {
        CHECK(std::abs(found[i] - expected[i]) < 1e-4F * largest);
      }
    }
  }
}
