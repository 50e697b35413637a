// Rankings against what their definitions say, written down plainly.
#include "prune/ranking.h"

#include <cmath>

#include "support/catch.h"

#include "base/random.h"
#include "graph/batch_norms.h"
#include "graph/zoo.h"

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
  Graph graph = network();
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
