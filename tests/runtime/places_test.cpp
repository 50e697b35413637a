// Where values lie: nothing that is still needed is written over.
#include "runtime/places.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "runtime/model.h"
#include "support/capacities.h"
#include "support/catch.h"
#include "support/nested_graph.h"
#include "support/random_graph.h"

#include "graph/interpreter.h"
#include "graph/zoo.h"
#include "package/package.h"

using nestling::Graph;
using nestling::Growth;
using namespace nestling::runtime;
using test::Builder;

namespace {

Model open(const std::string& package, int threads = 1) {
  auto opened = Model::open_memory(package.data(), package.size(), {.threads = threads});
  REQUIRE(opened.ok());
  return std::move(opened.value());
}

uint64_t elements(const std::vector<uint32_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), uint64_t{1}, std::multiplies<>());
}

bool among(const std::vector<uint32_t>& values, uint32_t value) {
  return std::count(values.begin(), values.end(), value) > 0;
}

// Counts the results that lie over an input, after checking that each place is a value's own while
// that is needed.
size_t check_places(const PackageHeader& header, uint32_t capacity) {
  const auto stages = stages_of(header);
  const Places places = place_values(header, stages, capacity, false);
  const auto overlap = [&](uint32_t a, uint32_t b) {
    const uint64_t floats_a = elements(header.shape(a, capacity));
    const uint64_t floats_b = elements(header.shape(b, capacity));
    return places.offsets[a] < places.offsets[b] + floats_b &&
           places.offsets[b] < places.offsets[a] + floats_a;
  };
  size_t over = 0;
  std::vector<uint32_t> alive = header.inputs;
  for (size_t s = 0; s < stages.size(); ++s) {
    const Stage& stage = stages[s];
    const auto needed_later = [&](uint32_t value) {
      if (among(header.outputs, value)) return true;
      return std::any_of(stages.begin() + static_cast<std::ptrdiff_t>(s) + 1, stages.end(),
                         [&](const Stage& later) { return among(later.inputs, value); });
    };
    for (const uint32_t value : alive) {
      if (!overlap(stage.output, value)) continue;
      CHECK_FALSE(needed_later(value));
      CHECK(places.offsets[stage.output] == places.offsets[value]);
      if (among(stage.inputs, value)) ++over;
    }
    alive.push_back(stage.output);
    alive.erase(std::remove_if(alive.begin(), alive.end(),
                               [&](uint32_t value) { return !needed_later(value); }),
                alive.end());
  }
  CHECK(places.least <= places.floats);
  return over;
}

}  // namespace

TEST_CASE("no value is written over while it is needed", "[random]") {
  size_t over = 0;
  test::for_random_networks(100, 8, [&](const Graph& graph, uint64_t seed) {
    nestling::Random random(seed);
    const std::string package =
        nestling::make_package(test::nested_graph(graph, Growth::full, 2, random), "test");
    const Model model = open(package);
    for (const uint32_t k : {1U, 2U}) over += check_places(model.header(), k);
  });
  CHECK(over > 100);
}

TEST_CASE("a convolution that adds its own input does not write over it") {
  Builder b(3, {nestling::kBatch, 16, 6, 6});
  const auto x = b.conv3x3("first", b.input(), 16);
  const auto y = b.conv3x3("second", x, 16);
  const auto sum = b.node("sum", nestling::kAdd, {y, x});
  const auto z = b.conv3x3("third", sum, 16);  // this one adds what nobody needs any more
  const Graph graph = b.finish(b.node("end", nestling::kAdd, {z, sum}));
  const std::string package = nestling::make_package(graph, "test");
  Model model = open(package, 3);
  check_places(model.header(), 1);
  nestling::Random random(4);
  const nestling::Tensor image = test::random_tensor({1, 16, 6, 6}, random);
  REQUIRE(model.set_capacity(1).ok());
  std::vector<float> found(model.output_floats());
  REQUIRE(model.run(image.data.data(), found.data()).ok());
  test::check_close(found, nestling::interpret(graph, image).at(0).data);
}

TEST_CASE("the places of known networks come close to what is needed at once") {
  for (const char* name : {"resnet20", "mobilenet_v2", "shufflenet_v2", "densenet121"}) {
    INFO(name);
    const std::string package = nestling::make_package(
        nestling::make_model(name, {.classes = 7, .height = 64, .width = 64, .multiplier = 0.5}),
        "test");
    const Model model = open(package);
    const Places places = place_values(model.header(), stages_of(model.header()), 1, false);
    CHECK(static_cast<double>(places.floats) <= 1.15 * static_cast<double>(places.least));
  }
}
