// A refined inference against the same capacity run outright.
#include <algorithm>

#include "runtime/continuation.h"
#include "runtime/model.h"
#include "support/capacities.h"
#include "support/catch.h"
#include "support/nested_graph.h"
#include "support/random_graph.h"

#include "graph/zoo.h"
#include "package/package.h"

using nestling::Graph;
using nestling::Growth;
using nestling::runtime::Model;
using nestling::runtime::StatusCode;

namespace {

Model open_refinable(const std::string& package, int threads = 1) {
  auto opened =
      Model::open_memory(package.data(), package.size(), {.threads = threads, .refinable = true});
  INFO(opened.status().text());
  REQUIRE(opened.ok());
  return std::move(opened.value());
}

size_t continued(const Model& model) {
  const auto stages = nestling::runtime::stages_of(model.header(), false);
  const auto all = nestling::runtime::continued_stages(model.header(), stages);
  return static_cast<size_t>(std::count(all.begin(), all.end(), true));
}

// From every capacity to every larger one, in steps; outright it is what a model that is not to be
// refined computes. Returns how many layers continued.
size_t check_refinements(const Graph& nested, int threads, nestling::Random& random) {
  const std::string package = nestling::make_package(nested, "test");
  Model model = open_refinable(package, threads);
  const uint32_t largest = model.header().capacities();
  REQUIRE(model.set_capacity(largest).ok());
  auto plain = Model::open_memory(package.data(), package.size(), {.threads = threads});
  REQUIRE(plain.ok());
  nestling::Shape shape = nested.value(nested.inputs[0]).shape;
  shape[0] = 1;
  std::vector<std::vector<float>> output(model.header().outputs.size());
  std::vector<float*> to;
  for (size_t i = 0; i < output.size(); ++i) {
    output[i].resize(model.output_floats(i));
    to.push_back(output[i].data());
  }
  for (uint32_t from = 1; from <= largest; ++from) {
    const nestling::Tensor image = test::random_tensor(shape, random);
    const nestling::Tensor other = test::random_tensor(shape, random);
    const float* input = image.data.data();
    std::vector<std::vector<std::vector<float>>> outright;
    for (uint32_t k = from; k <= largest; ++k) {
      REQUIRE(model.run_at(k, &input, to.data()).ok());
      outright.push_back(output);
      REQUIRE(plain.value().set_capacity(k).ok());
      REQUIRE(plain.value().run(&input, to.data()).ok());
      for (size_t i = 0; i < output.size(); ++i) {
        INFO("output " << i << " at capacity " << k);
        test::check_close(outright.back()[i], output[i]);
      }
    }
    const float* another = other.data.data();
    REQUIRE(model.run_at(largest, &another, to.data()).ok());
    REQUIRE(model.run_at(from, &input, to.data()).ok());
    for (uint32_t k = from; k <= largest; ++k) {
      INFO("from capacity " << from << " at capacity " << k);
      if (k > from) REQUIRE(model.refine(to.data()).ok());
      CHECK(output == outright[k - from]);
    }
    CHECK(model.refine(to.data()).code() == StatusCode::bad_argument);
  }
  return continued(model);
}

}  // namespace

TEST_CASE("a refined inference has the bits of one outright") {
  nestling::Random random(21);
  const std::vector<Graph> networks{
      test::residual_network(1),
      test::every_op_network(2),
      test::modern_network(4),
      nestling::make_model("resnet20", {.classes = 7, .multiplier = 0.5}),
      nestling::make_model("vgg16", {.classes = 7, .multiplier = 0.25}),
      nestling::make_model("squeezenet1_1", {.classes = 7, .height = 48, .width = 48}),
      nestling::make_model("googlenet",
                           {.classes = 7, .height = 64, .width = 64, .multiplier = 0.125}),
      nestling::make_model("densenet121",
                           {.classes = 7, .height = 32, .width = 32, .multiplier = 0.25}),
      nestling::make_model("shufflenet_v2",
                           {.classes = 7, .height = 64, .width = 64, .multiplier = 0.25}),
      nestling::make_model("mobilenet_v2", {.classes = 7, .multiplier = 0.25})};
  for (const Graph& graph : networks) {
    INFO(graph.name);
    const Graph nested = test::nested_graph(graph, Growth::causal, 4, random);
    for (const int threads : {1, 3}) CHECK(check_refinements(nested, threads, random) > 0);
  }
}

TEST_CASE("all that has more than one pixel goes on from the capacity below") {
  nestling::Random random(23);
  const Graph graph = nestling::make_model("mobilenet_v2", {.classes = 7, .multiplier = 0.25});
  const std::string package =
      nestling::make_package(test::nested_graph(graph, Growth::causal, 2, random), "test");
  const Model model = open_refinable(package);
  const auto stages = nestling::runtime::stages_of(model.header(), false);
  const size_t images =
      static_cast<size_t>(std::count_if(stages.begin(), stages.end(), [&](const auto& stage) {
        const auto shape = model.header().shape(stage.output, 1);
        return shape.size() == 4 && shape[2] > 1;
      }));
  CHECK(images > 30);
  CHECK(continued(model) >= images);
}

TEST_CASE("random networks are refined to the bits of one outright", "[random]") {
  size_t continued = 0;
  test::for_random_networks(50, 8, [&](const Graph& graph, uint64_t seed) {
    nestling::Random random(seed);
    const Graph nested = test::nested_graph(graph, Growth::causal, 3, random);
    continued += check_refinements(nested, 1, random);
  });
  CHECK(continued > 0);
}

TEST_CASE("refining says what it needs") {
  nestling::Random random(22);
  const Graph graph = test::residual_network(1);
  const std::string full =
      nestling::make_package(test::nested_graph(graph, Growth::full, 3, random), "test");
  const auto refused = Model::open_memory(full.data(), full.size(), {.refinable = true});
  CHECK(refused.status().code() == StatusCode::bad_argument);

  const std::string causal =
      nestling::make_package(test::nested_graph(graph, Growth::causal, 3, random), "test");
  auto plain = Model::open_memory(causal.data(), causal.size(), {});
  std::vector<float> input(plain.value().input_floats(), 0.5F), output(7);
  output.resize(plain.value().output_floats());
  const float* from = input.data();
  float* to = output.data();
  REQUIRE(plain.value().set_capacity(2).ok());
  CHECK(plain.value().run_at(1, &from, &to).code() == StatusCode::bad_argument);
  CHECK(plain.value().refine(&to).code() == StatusCode::bad_argument);

  Model model = open_refinable(causal);
  CHECK(model.run_at(1, &from, &to).code() == StatusCode::bad_argument);  // nothing is paged in
  REQUIRE(model.set_capacity(2).ok());
  CHECK(model.run_at(0, &from, &to).code() == StatusCode::bad_argument);
  CHECK(model.run_at(3, &from, &to).code() == StatusCode::bad_argument);
  CHECK(model.refine(&to).code() == StatusCode::bad_argument);
  REQUIRE(model.run_at(1, &from, &to).ok());
  REQUIRE(model.run(&from, &to).ok());  // forgets
  CHECK(model.refine(&to).code() == StatusCode::bad_argument);
  REQUIRE(model.run_at(1, &from, &to).ok());
  REQUIRE(model.set_capacity(3).ok());  // so does this
  CHECK(model.refine(&to).code() == StatusCode::bad_argument);
}
