#include "graph/cost.h"

#include "support/catch.h"
#include "support/test_graphs.h"

#include "base/error.h"
#include "graph/shapes.h"

TEST_CASE("MACs and parameters of a network counted by hand") {
  const nestling::Graph graph = test::chain_network(1);
  // conv1 8x8, conv2 and conv3 4x4, head.
  CHECK(nestling::count_macs(graph) == 64 * 8 * 27 + 16 * 12 * 72 + 16 * 10 * 108 + 40);
  // Weights, a scale and a shift for every filter, the head's weight and bias.
  CHECK(nestling::count_parameters(graph) ==
        8 * 27 + 12 * 72 + 10 * 108 + 2 * (8 + 12 + 10) + 40 + 4);
}

TEST_CASE("a node that does not fit is named") {
  test::Builder b(1);
  const auto x = b.conv3x3("conv1", b.input(), 4);
  CHECK_THROWS_WITH(b.node("sum", nestling::kAdd, {x, b.input()}),
                    ContainsSubstring("node \"sum\" (Add)"));
  CHECK_THROWS_WITH(b.node("big", nestling::MaxPool{.kernel = {9, 9}}, {x}),
                    ContainsSubstring("does not fit"));
}
