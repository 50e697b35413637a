// Cutting and growing on a device that is not the processor.
#include <array>

#include "support/bars.h"
#include "support/catch.h"
#include "support/nested_graph.h"
#include "support/other_device.h"

#include "graph/groups.h"
#include "graph/zoo.h"
#include "prune/feature_maps.h"
#include "prune/reconstruct.h"
#include "recover/joint.h"

using nestling::Graph;

namespace {

struct Fixture {
  nestling::Dataset data = test::bars(96);
  Graph graph =
      nestling::make_model("small", {.classes = 4, .channels = 1, .height = 8, .width = 8});
};

}  // namespace

TEST_CASE("filters are ranked and refitted on another device as on the processor") {
  const Fixture fixture;
  const nestling::ChannelGroups groups = nestling::find_groups(fixture.graph);
  const std::vector<nestling::ValueId> values = nestling::ranked_values(fixture.graph, groups);
  const nestling::KeptChannels kept{{groups.find("conv3"), {1, 3, 4}}};
  const auto cut = [&] {
    return nestling::reconstructed(fixture.graph, groups, kept, fixture.data, 1);
  };
  const auto ranked = [&] {
    return std::array{nestling::exact_trr(fixture.graph, values, fixture.data),
                      nestling::first_order_changes(fixture.graph, values, fixture.data)};
  };
  const Graph expected = cut();
  const auto scores = ranked();
  const test::OtherDevice other;
  test::check_same_weights(cut(), expected);
  const auto again = ranked();
  for (size_t way = 0; way < scores.size(); ++way) {
    for (const auto& [id, expected_scores] : scores[way]) {
      const std::vector<double>& found = again[way].at(id);
      for (size_t i = 0; i < found.size(); ++i) {
        CHECK(found[i] == Approx(expected_scores[i]).epsilon(1e-3).margin(1e-6));
      }
    }
  }
}

TEST_CASE("capacities are trained together on another device as on the processor") {
  const Fixture fixture;
  nestling::Random random(5);
  const Graph nested = test::nested_graph(fixture.graph, nestling::Growth::joint, 3, random);
  const auto trained = [&] {
    nestling::Progress quiet;
    return nestling::train_joint(nested, fixture.data,
                                 {.epochs = 1, .batch = 32, .learning_rate = 0.05}, quiet);
  };
  const Graph expected = trained();
  const test::OtherDevice other;
  test::check_same_weights(trained(), expected);
}
