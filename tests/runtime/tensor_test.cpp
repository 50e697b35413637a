#include "runtime/tensor.h"

#include "runtime/model.h"
#include "support/catch.h"
#include "support/test_graphs.h"

#include "graph/interpreter.h"
#include "package/package.h"

TEST_CASE("a view has room for all that two shapes of the same elements cut each other into") {
  const nestling::Shape from{nestling::kBatch, 4, 4, 4, 4, 4, 4, 4};
  test::Builder b(3, from);
  // All elements in order, moved, and in a shape of which every axis ends within one of the other.
  nestling::ValueId x = nestling::add_node(
      b.graph, "transpose", nestling::Transpose{{0, 7, 6, 5, 4, 3, 2, 1}}, {b.input()});
  x = nestling::add_node(b.graph, "reshape", nestling::Reshape{{0, 2, 4, 4, 4, 4, 4, 8}}, {x});
  const nestling::Graph graph = b.finish(x);
  const nestling::Tensor input = test::random_tensor({1, 4, 4, 4, 4, 4, 4, 4}, b.random);
  const nestling::Tensor expected = nestling::interpret(graph, {input})[0];

  const std::string package = nestling::make_package(graph, "test");
  auto opened = nestling::runtime::Model::open_memory(package.data(), package.size(), {});
  REQUIRE(opened.ok());
  nestling::runtime::Model& model = opened.value();
  REQUIRE(model.set_capacity(1).ok());
  std::vector<float> y(model.output_floats(0));
  REQUIRE(model.run(input.data.data(), y.data()).ok());
  CHECK(y == expected.data);
}
