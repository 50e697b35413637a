// Packages on the first GPU there is, beside the CPU; of a machine without one, Mesa's lavapipe.
#include "runtime/vulkan/device.h"

#include <cmath>

#include "runtime/model.h"
#include "support/catch.h"
#include "support/gpu.h"
#include "support/nested_graph.h"
#include "support/random_graph.h"

#include "graph/zoo.h"
#include "package/package.h"

using nestling::Graph;
using nestling::Growth;
using nestling::runtime::Accelerator;
using nestling::runtime::Model;
using nestling::runtime::StatusCode;
using nestling::runtime::WeightType;
using nestling::runtime::vulkan::Device;

namespace {

// The outputs at each capacity, as these come up and go down. `cpu_layers` becomes how many layers
// of the largest ran on the CPU.
std::vector<std::vector<float>> outputs(const std::string& package, const nestling::Tensor& image,
                                        Accelerator* accelerator, size_t* cpu_layers = nullptr) {
  auto opened = Model::open_memory(package.data(), package.size(), {.accelerator = accelerator});
  INFO(opened.status().text());
  REQUIRE(opened.ok());
  Model& model = opened.value();
  std::vector<std::vector<float>> all;
  const auto largest = static_cast<int>(model.header().capacities());
  for (int step = -largest; step <= largest; ++step) {
    if (step == 0) continue;
    const auto status = model.set_capacity(static_cast<uint32_t>(std::abs(step)));
    INFO(status.text());
    REQUIRE(status.ok());
    std::vector<float>& output = all.emplace_back(model.output_floats());
    REQUIRE(model.run(image.data.data(), output.data()).ok());
  }
  if (cpu_layers != nullptr) *cpu_layers = model.cpu_layers().nodes.size();
  return all;
}

// Returns how many layers of the largest capacity ran on the CPU.
size_t check_same(const Graph& graph, WeightType weights, nestling::Random& random,
                  Device& device = test::gpu()) {
  const std::string package = nestling::make_package(graph, "test", weights);
  nestling::Shape shape = graph.value(graph.inputs[0]).shape;
  shape[0] = 1;
  const nestling::Tensor image = test::random_tensor(shape, random);
  size_t cpu_layers = 0;
  const auto expected = outputs(package, image, nullptr),
             found = outputs(package, image, &device, &cpu_layers);
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    for (size_t j = 0; j < found[i].size(); ++j) {
      REQUIRE(found[i][j] == Approx(expected[i][j]).epsilon(1e-4).margin(1e-4));
    }
  }
  return cpu_layers;
}

}  // namespace

TEST_CASE("the GPU computes what the CPU computes, at every capacity", "[random]") {
  test::gpu();  // with the validation layer
  const auto plain = Device::open(0, {.subgroups = false});
  REQUIRE(plain.ok());
  test::for_random_networks(60, 8, [&](const Graph& graph, uint64_t seed) {
    nestling::Random random(seed);
    const Growth growths[] = {Growth::causal, Growth::full, Growth::joint};
    const Graph nested = test::nested_graph(graph, growths[random.below(3)],
                                            1 + static_cast<int>(random.below(4)), random);
    const bool half = random.below(4) == 0;
    const WeightType weights = half ? WeightType::float16 : WeightType::float32;
    check_same(nested, weights, random, seed % 2 == 0 ? test::gpu() : *plain.value());
  });
}

TEST_CASE("the networks of the zoo run on the GPU, all of their layers") {
  nestling::Random random(5);
  for (const std::string& name : nestling::zoo_names()) {
    INFO(name);
    const Graph graph =
        nestling::make_model(name, {.classes = 4, .height = 32, .width = 32, .multiplier = 0.25});
    const Graph nested = test::nested_graph(graph, Growth::full, 2, random);
    CHECK(check_same(nested, WeightType::float32, random) == 0);
  }
}

TEST_CASE("a GPU that is not there is refused") {
  const auto opened = Device::open(99);
  CHECK(opened.status().code() == StatusCode::bad_argument);
  CHECK(opened.status().text().find("no GPU 99") != std::string::npos);
}
