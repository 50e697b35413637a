// Packages whose weights are float16.
#include "runtime/model.h"
#include "support/capacities.h"
#include "support/nested_graph.h"
#include "support/random_graph.h"
#include "support/rounded_graph.h"

#include "graph/zoo.h"
#include "package/package.h"

using nestling::Graph;
using nestling::Growth;
using nestling::runtime::Model;
using nestling::runtime::StatusCode;
using nestling::runtime::WeightType;

namespace {

std::vector<std::vector<float>> outputs(const std::string& package, const nestling::Tensor& image,
                                        int threads) {
  auto opened = Model::open_memory(package.data(), package.size(), {.threads = threads});
  INFO(opened.status().text());
  REQUIRE(opened.ok());
  return test::outputs_down_and_up(opened.value(), image);
}

void check_same(const Graph& graph, int threads, nestling::Random& random) {
  const std::string wide = nestling::make_package(graph, "test");
  const std::string narrow = nestling::make_package(graph, "test", {WeightType::float16});
  nestling::Shape shape = graph.value(graph.inputs[0]).shape;
  shape[0] = 1;
  const nestling::Tensor image = test::random_tensor(shape, random);
  const auto expected = outputs(wide, image, threads), found = outputs(narrow, image, threads);
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) test::check_close(found[i], expected[i]);
}

}  // namespace

TEST_CASE("weights that float16 can hold compute the same stored so") {
  nestling::Random random(3);
  for (const char* name : {"small", "resnet20", "mobilenet_v2"}) {
    INFO(name);
    const bool small = std::string(name) == "small";
    const Graph graph = test::rounded_graph(nestling::make_model(
        name, {.classes = 4, .height = 32, .width = 32, .multiplier = small ? 2 : 0.5}));
    check_same(graph, 1, random);
    for (const Growth growth : {Growth::full, Growth::causal, Growth::joint}) {
      check_same(test::rounded_graph(test::nested_graph(graph, growth, 3, random)), 2, random);
    }
  }
}

TEST_CASE("random networks with float16 weights") {
  test::for_random_networks(6, 12, [](const Graph& graph, uint64_t seed) {
    nestling::Random random(seed);
    check_same(test::rounded_graph(test::nested_graph(graph, Growth::full, 3, random)), 2, random);
  });
}

TEST_CASE("float16 weights take half as much, and the header says so") {
  nestling::Random random(1);
  const Graph graph = nestling::make_model("vgg16", {.classes = 10, .height = 32, .width = 32});
  const std::string wide = nestling::make_package(graph, "test");
  const std::string narrow = nestling::make_package(graph, "test", {WeightType::float16});
  CHECK(static_cast<double>(narrow.size()) < 0.505 * static_cast<double>(wide.size()));
  CHECK(wide[8] == nestling::runtime::kVersion);
  CHECK(narrow[8] == nestling::runtime::kVersion);
  auto opened = Model::open_memory(narrow.data(), narrow.size(), {});
  REQUIRE(opened.ok());
  CHECK(opened.value().header().weights == WeightType::float16);
  CHECK(opened.value().header().arithmetic == WeightType::float32);
}

TEST_CASE("arithmetic in float16 is for weights that are float16") {
  const Graph graph = nestling::make_model("small", {.classes = 4, .height = 16, .width = 16});
  const std::string package =
      nestling::make_package(graph, "test", {WeightType::float16, WeightType::float16});
  auto opened = Model::open_memory(package.data(), package.size(), {});
  REQUIRE(opened.ok());
  CHECK(opened.value().header().arithmetic == WeightType::float16);
  CHECK_THROWS_WITH(
      nestling::make_package(graph, "test", {WeightType::float32, WeightType::float16}),
      ContainsSubstring("its arithmetic is not of a type that its weights have"));
}

TEST_CASE("a weight that float16 cannot hold is an error that names it") {
  Graph graph = nestling::make_model("small", {.classes = 4, .height = 16, .width = 16});
  for (nestling::Value& value : graph.values) {
    if (value.constant && value.constant->shape.size() == 4) value.constant->data.back() = -7e4F;
  }
  CHECK_THROWS_WITH(nestling::make_package(graph, "test", {WeightType::float16}),
                    ContainsSubstring("has the weight -70000") && ContainsSubstring("float16"));
  CHECK_NOTHROW(nestling::make_package(graph, "test"));
}
