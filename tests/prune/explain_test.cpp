#include "prune/explain.h"

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/schema.h"
#include "support/test_graphs.h"

#include "graph/cost.h"
#include "graph/surgery.h"
#include "prune/prune.h"

using nestling::ChannelGroups;
using nestling::Graph;

namespace {

const nestling::GroupReport& named(const std::vector<nestling::GroupReport>& reports,
                                   const std::string& name) {
  for (const auto& report : reports) {
    if (report.name == name) return report;
  }
  FAIL("no group " << name);
  return reports.front();
}

std::vector<std::string> open_groups(const Graph& graph, const nestling::CutRules& rules) {
  ChannelGroups groups = nestling::find_groups(graph);
  nestling::apply(rules, graph, groups);
  std::vector<std::string> names;
  for (const auto& group : groups.groups) {
    if (!group.fixed) names.push_back(group.name);
  }
  return names;
}

}  // namespace

TEST_CASE("groups are explained: layers, readers, what a channel costs, what is fixed and why") {
  const Graph graph = test::residual_network(1);
  const auto reports = nestling::describe_groups(graph, nestling::find_groups(graph));
  const auto& conv1 = named(reports, "conv1");
  CHECK(conv1.layers == std::vector<std::string>{"conv1", "conv3"});
  CHECK(conv1.readers == std::vector<std::string>{"conv2", "conv4"});
  // By hand: conv1 on 8x8 from 3 channels, conv2 and conv3 on 4x4 with 5 channels between, conv4 to
  // 7 channels on 2x2; all 3x3.
  CHECK(conv1.macs_per_channel == 9 * (64 * 3 + 16 * 5 + 16 * 5 + 4 * 7));
  CHECK(conv1.parameters_per_channel == 9 * (3 + 5 + 5 + 7) + 2 * 2);
  CHECK_FALSE(conv1.fixed);
  CHECK(named(reports, "input").reason == "it is an input of the network");
  CHECK(named(reports, "head").reason == "it is an output of the network");

  const std::string text = nestling::explain_as_text(graph, reports);
  CHECK_THAT(text, ContainsSubstring("conv1, conv3 | conv2, conv4"));
  CHECK_THAT(text, ContainsSubstring("it is an output of the network"));
  const auto json = nestling::explain_as_json(graph, reports);
  test::check_schema(json.dump(), "groups.schema.json");
  CHECK(json["groups"][1]["layers"] == std::vector<std::string>{"conv1", "conv3"});
  const std::string dot = nestling::explain_as_dot(graph, reports);
  CHECK_THAT(dot, ContainsSubstring("\"conv1\" -> \"conv2\";"));
  CHECK_THAT(dot, !ContainsSubstring("\"conv2\" -> \"head\";"));
}

TEST_CASE("a channel that an operator needs as it is names the operator") {
  test::Builder b(5);
  auto x = b.conv_bn_relu("conv1", b.input(), 6);
  x = b.node("every second", nestling::Slice{{1}, {0}, {6}, {2}}, {x});
  x = b.node("flatten", nestling::flatten(), {b.conv("conv2", x, 4, {})});
  const Graph graph = b.finish(b.gemm("head", x, 4));
  const auto reports = nestling::describe_groups(graph, nestling::find_groups(graph));
  CHECK(named(reports, "conv1").reason == "every second (Slice) needs it as it is");
  CHECK_FALSE(named(reports, "conv2").fixed);
}

TEST_CASE("rules say which groups are cut") {
  const Graph graph = test::residual_network(1);
  using Names = std::vector<std::string>;
  CHECK(open_groups(graph, {}) == Names{"conv1", "conv2", "conv4", "hidden"});
  CHECK(open_groups(graph, {.skip = {"conv3"}}) == Names{"conv2", "conv4", "hidden"});
  CHECK(open_groups(graph, {.only = {"conv[24]"}}) == Names{"conv2", "conv4"});
  CHECK(open_groups(graph, {.skip = {"conv2"}, .only = {"conv*"}}) == Names{"conv1", "conv4"});
  CHECK_THROWS_WITH(open_groups(graph, {.skip = {"layer*"}}),
                    ContainsSubstring("no layer of test is named layer*"));
}
