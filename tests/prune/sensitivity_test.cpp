#include "prune/sensitivity.h"

#include <algorithm>

#include "support/bars.h"
#include "support/catch.h"

#include "graph/cost.h"
#include "graph/surgery.h"
#include "graph/zoo.h"
#include "prune/reconstruct.h"
#include "train/agreement.h"
#include "train/evaluate.h"

using nestling::Graph;
using nestling::Importance;

namespace {

struct Fixture {
  nestling::Dataset images = test::bars(40);
  Graph graph =
      nestling::make_model("small", {.classes = 4, .channels = 1, .height = 8, .width = 8});
  nestling::ChannelGroups groups = nestling::find_groups(graph);
  Importance importance = nestling::make_ranking("l1", {})->rank(graph, groups, {});

  size_t group(const std::string& name) const { return static_cast<size_t>(groups.find(name)); }
  Importance by_sensitivity() const {
    return nestling::by_sensitivity(importance, graph, groups, images, 1);
  }
};

}  // namespace

TEST_CASE("channels score what the outputs lose for each MAC, in their order") {
  const Fixture fixture;
  const Importance scores = fixture.by_sensitivity();
  REQUIRE(scores.size() == fixture.importance.size());
  for (size_t g = 0; g < scores.size(); ++g) {
    REQUIRE(scores[g].size() == fixture.importance[g].size());
    const std::vector<size_t> order = nestling::order_of(fixture.importance[g]);
    for (size_t i = 1; i < order.size(); ++i) {
      CHECK(scores[g][order[i - 1]] <= scores[g][order[i]]);
    }
  }

  // The first eighth, two of 16 channels, by itself: from nothing on in equal steps, the mean of
  // which is half of what the outputs lose.
  const size_t g = fixture.group("conv1");
  const std::vector<size_t> order = nestling::order_of(fixture.importance[g]);
  REQUIRE(order.size() == 16);
  std::vector<int64_t> left(order.begin() + 2, order.end());
  std::sort(left.begin(), left.end());
  const Graph cut = nestling::reconstructed(fixture.graph, fixture.groups,
                                            {{static_cast<int32_t>(g), left}}, fixture.images, 1);
  const Graph whole = nestling::with_statistics_of(fixture.graph, fixture.images, 50);
  const double lost = nestling::difference(cut, whole, fixture.images) /
                      static_cast<double>(nestling::count_macs(whole) - nestling::count_macs(cut));
  REQUIRE(lost > 0);
  CHECK(scores[g][order[0]] == Approx(lost / 4));
  CHECK(scores[g][order[1]] == Approx(lost * 3 / 4));
}

TEST_CASE("channels that the outputs do not depend on go before all others") {
  Fixture fixture;
  // Half of conv4's channels meet no weights in conv5.
  const size_t group = fixture.group("conv4");
  std::vector<size_t> unused = nestling::order_of(fixture.importance[group]);
  unused.resize(unused.size() / 2);
  nestling::Tensor& weight =
      fixture.graph.constant(nestling::find_value(fixture.graph, "conv5.weight"));
  const auto inputs = static_cast<size_t>(weight.shape[1]);
  for (size_t i = 0; i < weight.data.size(); ++i) {
    if (std::count(unused.begin(), unused.end(), i / 9 % inputs) > 0) weight.data[i] = 0;
  }
  const Importance scores = fixture.by_sensitivity();
  for (size_t g = 0; g < scores.size(); ++g) {
    for (size_t c = 0; c < scores[g].size(); ++c) {
      CAPTURE(g, c);
      const bool is_unused = g == group && std::count(unused.begin(), unused.end(), c) > 0;
      CHECK((scores[g][c] < 1e-14) == is_unused);
    }
  }
}
