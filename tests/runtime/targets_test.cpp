// The kernels on every instruction set that this processor has, not only the best.
#include "support/targets.h"

#include "runtime/model.h"
#include "support/capacities.h"
#include "support/catch.h"
#include "support/nested_graph.h"
#include "support/temporary_folder.h"

#include "base/file.h"
#include "graph/interpreter.h"
#include "graph/zoo.h"
#include "package/package.h"

using nestling::Graph;
using nestling::Growth;
using nestling::Tensor;

namespace {

void check_capacities(const Graph& nested, const Tensor& image) {
  const TemporaryFolder folder;
  nestling::write_file(folder / "model.nest", nestling::make_package(nested, "test"));
  auto opened = nestling::runtime::Model::open((folder / "model.nest").c_str(), {.threads = 1});
  REQUIRE(opened.ok());
  test::check_capacities(opened.value(), nested, image);
}

}  // namespace

TEST_CASE("every instruction set computes what the interpreter does") {
  const uint64_t seed = 12;
  INFO("seed " << seed);
  test::for_each_instruction_set([&] {
    nestling::Random random(seed);
    // Widths and images of all remainders: of panels, vectors and tiles.
    for (const Graph& graph :
         {test::residual_network(1), test::every_op_network(2), test::chain_network(3),
          test::modern_network(4), nestling::make_model("mobilenet_v2", {.multiplier = 0.3}),
          nestling::make_model("resnet20", {.classes = 7, .height = 21, .width = 19}),
          nestling::make_model("vgg16", {.classes = 7, .multiplier = 0.3})}) {
      INFO(graph.name);
      nestling::Shape shape = graph.value(graph.inputs[0]).shape;
      shape[0] = 1;
      check_capacities(test::nested_graph(graph, Growth::full, 3, random),
                       test::random_tensor(shape, random));
    }
  });
}
