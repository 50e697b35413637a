#include "prune/trr.h"

#include "support/catch.h"
#include "support/temporary_folder.h"
#include "support/test_dataset.h"

#include "base/error.h"
#include "base/random.h"
#include "graph/groups.h"
#include "graph/zoo.h"
#include "prune/feature_maps.h"
#include "prune/ranking.h"
#include "train/train.h"

TEST_CASE("the closed form of TRR equals brute force over all triplets") {
  const uint64_t seed = 31;
  INFO("seed " << seed);
  nestling::Random random(seed);
  constexpr int64_t kImages = 23, kFilters = 3, kSize = 4;
  std::vector<int32_t> labels;
  std::vector<std::vector<float>> maps;
  nestling::TripletResidual residual(4, kFilters, kSize);
  for (int64_t n = 0; n < kImages; ++n) {
    // Class 3 has one image only: a negative, never an anchor.
    labels.push_back(n == 0 ? 3 : static_cast<int32_t>(random.below(3)));
    maps.emplace_back();
    for (int64_t i = 0; i < kFilters * kSize; ++i) {
      maps.back().push_back(static_cast<float>(random.normal() + 0.5 * labels.back()));
    }
    std::vector<float> by_element;
    for (size_t k = 0; k < kSize; ++k) {
      for (size_t i = 0; i < kFilters; ++i) by_element.push_back(maps.back()[i * kSize + k]);
    }
    residual.add(std::span(&labels.back(), 1), by_element.data(), 0, kFilters, 0, 4);
  }
  std::vector<double> sum(kFilters);
  double triplets = 0;
  for (size_t a = 0; a < kImages; ++a) {
    for (size_t p = 0; p < kImages; ++p) {
      for (size_t n = 0; n < kImages; ++n) {
        if (a == p || labels[a] != labels[p] || labels[a] == labels[n]) continue;
        ++triplets;
        for (size_t i = 0; i < kFilters * kSize; ++i) {
          const double fa = maps[a][i], fp = maps[p][i], fn = maps[n][i];
          sum[i / kSize] += (fa - fn) * (fa - fn) - (fa - fp) * (fa - fp);
        }
      }
    }
  }
  const std::vector<double> found = residual.result();
  for (size_t i = 0; i < kFilters; ++i) {
    CHECK(found[i] == Approx(sum[i] / triplets).epsilon(1e-9));
  }
  CHECK_THROWS_WITH(nestling::TripletResidual(4, 3, 4).result(), ContainsSubstring("no triplets"));
}

TEST_CASE("sampled triplets converge to the closed form on a network") {
  const TemporaryFolder folder;
  test::write_dataset(folder / "bars", 120, 8);
  const auto data = nestling::load_dataset((folder / "bars").string(), "train");
  nestling::prepare_training(1);
  const auto graph = nestling::make_model(
      "small", {.classes = 4, .channels = 1, .height = 8, .width = 8, .multiplier = 0.5});
  const auto groups = nestling::find_groups(graph);
  const auto values = nestling::ranked_values(graph, groups);
  REQUIRE(values.size() == 5);
  const auto exact = nestling::exact_trr(graph, values, data);
  const auto error = [&](int64_t triplets) {
    double worst = 0;
    for (const auto& [id, scores] : nestling::sampled_trr(graph, values, data, triplets, 1)) {
      double largest = 0;
      for (const double e : exact.at(id)) largest = std::max(largest, std::abs(e));
      for (size_t i = 0; i < scores.size(); ++i) {
        worst = std::max(worst, std::abs(scores[i] - exact.at(id)[i]) / largest);
      }
    }
    return worst;
  };
  const double few = error(100), many = error(20000);
  CHECK(many < 0.05);
  CHECK(many < few);
}

TEST_CASE("rankings put a useless filter last") {
  const TemporaryFolder folder;
  test::write_dataset(folder / "bars", 120, 8);
  const auto data = nestling::load_dataset((folder / "bars").string(), "train");
  auto graph = nestling::make_model(
      "small", {.classes = 4, .channels = 1, .height = 8, .width = 8, .multiplier = 0.5});
  auto& weight = graph.constant(nestling::find_value(graph, "conv3.weight")).data;
  const size_t row = weight.size() / 16;
  std::fill_n(weight.begin() + static_cast<std::ptrdiff_t>(5 * row), row, 0.0F);
  const auto groups = nestling::find_groups(graph);
  for (const char* name : {"trr", "l1"}) {
    INFO(name);
    const auto importance = nestling::make_ranking(name, {})->rank(graph, groups, data);
    const auto& conv3 = importance.at(static_cast<size_t>(groups.find("conv3")));
    REQUIRE(conv3.size() == 16);
    CHECK(std::min_element(conv3.begin(), conv3.end()) - conv3.begin() == 5);
    CHECK(importance.front().empty());  // the input
  }
  CHECK_THROWS_WITH(nestling::make_ranking("best", {}), ContainsSubstring("there are: trr, l1"));
}
