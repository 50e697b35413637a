#include "graph/surgery.h"

#include "support/catch.h"
#include "support/channels.h"
#include "support/test_graphs.h"

#include "base/error.h"
#include "graph/cost.h"
#include "graph/groups.h"
#include "graph/interpreter.h"
#include "graph/onnx.h"
#include "graph/zoo.h"

using nestling::Graph;
using nestling::Tensor;

namespace {

void check_close(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) CHECK(a[i] == Approx(b[i]).epsilon(1e-4).margin(1e-4));
}

}  // namespace

TEST_CASE("groups follow sums, flattens, depthwise convolutions and concatenations") {
  const auto residual = nestling::find_groups(test::residual_network(1));
  // conv3 is tied to conv1 by the sum.
  std::vector<std::string> names;
  std::vector<int64_t> widths;
  for (const auto& group : residual.groups) {
    names.push_back(group.name);
    widths.push_back(group.width);
  }
  CHECK(names == std::vector<std::string>{"input", "conv1", "conv2", "conv4", "hidden", "head"});
  CHECK(widths == std::vector<int64_t>{3, 6, 5, 7, 9, 4});
  CHECK(residual.groups[0].fixed);
  CHECK(residual.groups[5].fixed);
  CHECK_FALSE(residual.groups[1].fixed);

  const Graph every = test::every_op_network(2);
  const auto groups = nestling::find_groups(every);
  CHECK(groups.find("depthwise") == -1);  // it has conv1's channels
  const auto concat = static_cast<size_t>(nestling::find_value(every, "concat"));
  CHECK(groups.labels[concat][1].front().group == groups.find("dilated"));
  CHECK(groups.labels[concat][1].back() == nestling::ChannelLabel{groups.find("conv1"), 5});
}

TEST_CASE("cutting channels equals zeroing them") {
  const uint64_t seed = 77;
  INFO("seed " << seed);
  nestling::Random random(seed);
  for (const Graph& graph : {test::residual_network(1), test::every_op_network(2),
                             test::chain_network(3), test::modern_network(4)}) {
    const auto groups = nestling::find_groups(graph);
    const Tensor x = test::random_tensor({2, 3, 8, 8}, random);
    for (int round = 0; round < 5; ++round) {
      nestling::KeptChannels kept;
      for (size_t g = 0; g < groups.groups.size(); ++g) {
        if (groups.groups[g].fixed) continue;
        const int64_t width = groups.groups[g].width;
        const auto count = 1 + static_cast<int64_t>(random.below(static_cast<uint64_t>(width)));
        kept[static_cast<int32_t>(g)] = test::random_channels(width, count, random);
      }
      const Graph cut = nestling::keep(graph, groups, kept);
      check_close(nestling::interpret(cut, x).at(0).data,
                  nestling::interpret(test::zeroed(graph, groups, kept), x).at(0).data);
      // The graph is really smaller, and what is written can be read.
      const Graph back = nestling::import_onnx(nestling::export_onnx(cut), "cut");
      CHECK(nestling::count_macs(back) == nestling::count_macs(cut));
      for (const auto& [g, channels] : kept) {
        const auto& [id, axis] = groups.groups[static_cast<size_t>(g)].axes.front();
        CHECK(cut.value(id).shape[static_cast<size_t>(axis)] <=
              graph.value(id).shape[static_cast<size_t>(axis)]);
      }
    }
  }
}

TEST_CASE("a permutation changes nothing but the order") {
  nestling::Random random(78);
  for (const Graph& graph :
       {test::residual_network(1), test::every_op_network(2), test::modern_network(4),
        nestling::make_model("resnet20", {.multiplier = 0.25})}) {
    const auto groups = nestling::find_groups(graph);
    nestling::KeptChannels kept;
    for (size_t g = 0; g < groups.groups.size(); ++g) {
      const auto& group = groups.groups[g];
      if (!group.fixed) {
        kept[static_cast<int32_t>(g)] = test::random_channels(group.width, group.width, random);
      }
    }
    const auto& shape = graph.value(graph.inputs[0]).shape;
    const Tensor x = test::random_tensor({1, shape[1], shape[2], shape[3]}, random);
    const Graph permuted = nestling::keep(graph, groups, kept);
    CHECK(nestling::export_onnx(permuted) != nestling::export_onnx(graph));
    check_close(nestling::interpret(permuted, x).at(0).data,
                nestling::interpret(graph, x).at(0).data);
  }
}

TEST_CASE("impossible cuts are refused") {
  const Graph graph = test::residual_network(1);
  const auto groups = nestling::find_groups(graph);
  const int32_t conv1 = groups.find("conv1");
  CHECK_THROWS_WITH(nestling::keep(graph, groups, {{conv1, {}}}),
                    ContainsSubstring("no channel of conv1"));
  CHECK_THROWS_WITH(nestling::keep(graph, groups, {{conv1, {0, 6}}}),
                    ContainsSubstring("no channel 6"));
  CHECK_THROWS_WITH(nestling::keep(graph, groups, {{conv1, {2, 2}}}),
                    ContainsSubstring("kept twice"));
  CHECK_THROWS_WITH(nestling::keep(graph, groups, {{groups.find("head"), {0}}}),
                    ContainsSubstring("an output of the network"));
}
