// Rankings against what their definitions say, written down plainly.
#include "prune/ranking.h"

#include <cmath>

#include "support/catch.h"
#include "support/temporary_folder.h"
#include "support/test_dataset.h"

#include "base/random.h"
#include "graph/batch_norms.h"
#include "graph/zoo.h"
#include "prune/explain.h"
#include "train/evaluate.h"
#include "train/train.h"

using nestling::Graph;

namespace {

Graph network() {
  return nestling::make_model("small", {.classes = 4, .height = 8, .width = 8, .multiplier = 0.5});
}

// Filters of conv4, one after the other.
std::vector<std::vector<double>> filters(const Graph& graph) {
  const nestling::Tensor& weight = graph.constant(nestling::find_value(graph, "conv4.weight"));
  const auto count = static_cast<size_t>(weight.shape[0]);
  std::vector<std::vector<double>> all(count);
  for (size_t i = 0; i < weight.data.size(); ++i) {
    all[i / (weight.data.size() / count)].push_back(weight.data[i]);
  }
  return all;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::pow(a[i] - b[i], 2);
  return std::sqrt(sum);
}

// Divided by their mean.
std::vector<double> relative(std::vector<double> scores) {
  double sum = 0;
  for (const double s : scores) sum += s;
  for (double& s : scores) s *= static_cast<double>(scores.size()) / sum;
  return scores;
}

std::vector<double> ranked(const Graph& graph, const std::string& ranking) {
  const auto groups = nestling::find_groups(graph);
  return nestling::make_ranking(ranking, {})
      ->rank(graph, groups, {})
      .at(static_cast<size_t>(groups.find("conv4")));
}

void check_near(const std::vector<double>& got, const std::vector<double>& expected) {
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(expected[i]).epsilon(1e-5));
}

}  // namespace

TEST_CASE("l1, l2 and fpgm are what they are defined to be") {
  const Graph graph = network();
  const auto all = filters(graph);
  const std::vector<double> nothing(all[0].size());
  std::vector<double> l1, l2, fpgm;
  for (const auto& filter : all) {
    double sum = 0, away = 0;
    for (const double w : filter) sum += std::abs(w);
    for (const auto& other : all) away += distance(filter, other);
    l1.push_back(sum);
    l2.push_back(distance(filter, nothing));
    fpgm.push_back(away);
  }
  check_near(ranked(graph, "l1"), relative(l1));
  check_near(ranked(graph, "l2"), relative(l2));
  check_near(ranked(graph, "fpgm"), relative(fpgm));
}

TEST_CASE("bn is the size of the batch norm's scale, and needs one") {
  Graph graph = nestling::make_model(
      "small", {.classes = 4, .channels = 1, .height = 8, .width = 8, .multiplier = 0.5});
  nestling::Random random(3);
  std::vector<double> expected;
  int norms = 0;
  for (const nestling::Node& node : graph.nodes) {
    if (!std::holds_alternative<nestling::BatchNorm>(node.op)) continue;
    // conv4's is the fourth.
    if (++norms != 4) continue;
    for (float& scale : graph.constant(node.inputs[1]).data) {
      scale = static_cast<float>(random.normal());
      expected.push_back(std::abs(scale));
    }
  }
  check_near(ranked(graph, "bn"), relative(expected));
  CHECK_THROWS_WITH(ranked(nestling::fold_batch_norms(graph), "bn"),
                    Catch::Contains("no batch norms to rank by"));
}

TEST_CASE("taylor is what a channel's absence changes, to first order") {
  // Brute force: scale a channel's map by 1 - e through the batch norm in front of its ReLU, image
  // by image, and look at the loss.
  Graph graph = nestling::make_model(
      "small", {.classes = 4, .channels = 1, .height = 8, .width = 8, .multiplier = 0.5});
  nestling::Random random(3);
  for (nestling::Value& value : graph.values) {
    if (value.name.ends_with(".bn.shift")) {
      for (float& x : value.constant->data) x = static_cast<float>(0.3 * random.normal());
    }
  }
  const TemporaryFolder folder;
  test::write_dataset(folder / "bars", 20, 4);
  const nestling::Dataset data = nestling::load_dataset((folder / "bars").string(), "train");
  const auto loss = [&](const Graph& g, int64_t image) {
    const std::vector<float> logits = nestling::outputs(g, data);
    const size_t row = static_cast<size_t>(image) * 4;
    double sum = 0;
    for (size_t c = 0; c < 4; ++c) sum += std::exp(static_cast<double>(logits[row + c]));
    const auto label = static_cast<size_t>(data.labels[static_cast<size_t>(image)]);
    return std::log(sum) - static_cast<double>(logits[row + label]);
  };
  const auto groups = nestling::find_groups(graph);
  const auto got = nestling::make_ranking("taylor", {})
                       ->rank(graph, groups, data)
                       .at(static_cast<size_t>(groups.find("conv4")));
  constexpr double kChange = 1e-3;
  std::vector<double> expected;
  for (size_t c = 0; c < got.size(); ++c) {
    Graph less = graph, more = graph;
    for (const char* name : {"conv4.bn.scale", "conv4.bn.shift"}) {
      less.constant(nestling::find_value(less, name)).data[c] *= static_cast<float>(1 - kChange);
      more.constant(nestling::find_value(more, name)).data[c] *= static_cast<float>(1 + kChange);
    }
    double sum = 0;
    for (int64_t n = 0; n < data.size(); ++n) sum += std::abs(loss(more, n) - loss(less, n));
    expected.push_back(sum);
  }
  const std::vector<double> wanted = relative(expected);
  REQUIRE(got.size() == wanted.size());
  for (size_t c = 0; c < got.size(); ++c)
    CHECK(got[c] == Approx(wanted[c]).epsilon(0.02).margin(0.02));
}

TEST_CASE("a group of several layers takes the sum, mean or highest of its scores") {
  const Graph graph = nestling::make_model("resnet20", {.multiplier = 0.5});
  const auto groups = nestling::find_groups(graph);
  const auto rank = [&](nestling::GroupScore score) {
    return nestling::make_ranking("l1", {.group_score = score})->rank(graph, groups, {});
  };
  const auto sum = rank(nestling::GroupScore::sum), mean = rank(nestling::GroupScore::mean),
             max = rank(nestling::GroupScore::max);
  bool several = false;
  for (size_t g = 0; g < sum.size(); ++g) {
    if (sum[g].empty()) continue;
    const double places = std::round(sum[g][0] / mean[g][0]);
    several = several || places > 1;
    for (size_t c = 0; c < sum[g].size(); ++c) {
      CHECK(sum[g][c] == Approx(places * mean[g][c]));
      CHECK(max[g][c] <= sum[g][c] + 1e-9);
      CHECK(max[g][c] >= mean[g][c] - 1e-9);
    }
    if (places == 1) CHECK(max[g] == sum[g]);
  }
  CHECK(several);
}

TEST_CASE("places within a group, and scores by cost") {
  CHECK(nestling::within_groups({{3, 1, 2, 1}, {}, {5}}) ==
        nestling::Importance{{0.875, 0.125, 0.625, 0.375}, {}, {0.5}});

  const Graph graph = network();
  const auto groups = nestling::find_groups(graph);
  const auto scores = nestling::make_ranking("l1", {})->rank(graph, groups, {});
  const auto by_cost = nestling::per_macs(scores, graph, groups);
  const auto reports = nestling::describe_groups(graph, groups);
  const auto first = static_cast<size_t>(groups.find("conv1")),
             last = static_cast<size_t>(groups.find("conv5"));
  const double ratio = static_cast<double>(reports[last].macs_per_channel) /
                       static_cast<double>(reports[first].macs_per_channel);
  CHECK(by_cost[first][0] / scores[first][0] == Approx(ratio * by_cost[last][0] / scores[last][0]));
}
