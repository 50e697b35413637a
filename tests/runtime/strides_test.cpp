// Pixels that lie apart from each other: who reads and writes them computes the same.
#include "runtime/strides.h"

#include "runtime/model.h"
#include "runtime/places.h"
#include "support/capacities.h"
#include "support/catch.h"
#include "support/nested_graph.h"
#include "support/test_graphs.h"

#include "graph/interpreter.h"
#include "graph/zoo.h"
#include "package/package.h"

using nestling::Graph;
using namespace nestling::runtime;

TEST_CASE("pixels a power of two apart get a line between them, and nobody minds") {
  const Graph graph = test::wide_network(3);
  const std::string package = nestling::make_package(graph, "test");
  nestling::Random random(4);
  const nestling::Tensor image = test::random_tensor({1, 8, 6, 5}, random);
  const std::vector<float> expected = nestling::interpret(graph, image).at(0).data;
  for (const int threads : {1, 3}) {
    auto opened = Model::open_memory(package.data(), package.size(), {.threads = threads});
    REQUIRE(opened.ok());
    Model& model = opened.value();
    REQUIRE(model.set_capacity(1).ok());
    std::vector<float> found(model.output_floats());
    REQUIRE(model.run(image.data.data(), found.data()).ok());
    test::check_close(found, expected);
  }
  auto opened = Model::open_memory(package.data(), package.size(), {});
  const PackageHeader& header = opened.value().header();
  const auto stages = stages_of(header, false);
  const Places places = place_values(header, stages, 1, false);
  size_t apart = 0, parts = 0;
  for (const uint32_t stride : places.strides) {
    CHECK((stride == 0 || stride == 256 + 16));
    apart += stride > 0 ? 1 : 0;
  }
  for (const auto& part : parts_of(header, stages, 1)) parts += part ? 1 : 0;
  CHECK(parts == 2);
  // stem, depthwise, the sum, what is joined, and its parts; not what a sigmoid reads or writes,
  // nor the output.
  CHECK(apart == 6);
  CHECK(places.strides[header.outputs[0]] == 0);
}

TEST_CASE("what is joined lies where it does at the largest capacity, of a package to be refined") {
  nestling::Random random(5);
  const Graph graph =
      nestling::make_model("squeezenet1_1", {.classes = 7, .height = 48, .width = 48});
  const Graph nested = test::nested_graph(graph, nestling::Growth::causal, 4, random);
  const std::string package = nestling::make_package(nested, "test");
  auto opened = Model::open_memory(package.data(), package.size(), {.refinable = true});
  REQUIRE(opened.ok());
  const PackageHeader& header = opened.value().header();
  const auto stages = stages_of(header, false);
  const Places places = place_values(header, stages, 4, true);
  size_t joins = 0;
  for (const Stage& stage : stages) {
    if (header.nodes[stage.node].op != "concat") continue;
    ++joins;
    const uint32_t whole = stage.output;
    REQUIRE(stage.inputs.size() == 2);
    REQUIRE(header.channels(whole).runs.size() == 2);
    CHECK(places.strides[whole] >= header.shape(whole, 4)[1]);
    uint64_t channels = 0;
    for (uint32_t slot = 0; slot < 2; ++slot) {
      const uint32_t part = stage.inputs[slot];
      CHECK(places.strides[part] == places.strides[whole]);
      CHECK(places.offsets[part] == places.offsets[whole] + channels);
      for (uint32_t k = 1; k <= 4; ++k) {
        CHECK(places.first_channel(header, whole, slot, k) == channels);
        CHECK(places.channels(header, part, k) == header.shape(part, k)[1]);
      }
      channels += header.shape(part, 4)[1];
    }
    const uint32_t last = header.shape(stage.inputs[1], 1)[1];
    CHECK(places.channels(header, whole, 1) == header.shape(stage.inputs[0], 4)[1] + last);
  }
  CHECK(joins == 8);
}
