// Where values lie: nothing that is still needed is written over.
#include "runtime/places.h"

#include "runtime/model.h"
#include "runtime/parts.h"
#include "runtime/tensor.h"
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

// Counts the results that lie over inputs and the values that are parts of others, after running
// the stages with names instead of numbers: each reads what was written for it.
struct Checked {
  size_t over = 0, parts = 0;

  Checked(const PackageHeader& header, uint32_t capacity) {
    const auto stages = stages_of(header, true);
    const auto all_parts = parts_of(header, stages, capacity);
    const Places places = place_values(header, stages, capacity, false);
    CHECK(places.least <= places.floats);
    std::vector<uint32_t> written(places.floats, UINT32_MAX);  // by the part of which value
    const auto for_each_place = [&](uint32_t value, const auto& visit) {
      const auto shape = header.shape(value, capacity);
      const Tensor tensor(nullptr, shape, places.strides[value]);
      const size_t channels = shape.size() == 4 ? shape[1] : 1;
      const size_t stride = shape.size() == 4 ? tensor.strides[3] : 1;
      const uint32_t name = whole_of(all_parts, value).whole;
      for (size_t pixel = 0; pixel < tensor.elements() / channels; ++pixel) {
        for (size_t c = 0; c < channels; ++c) {
          visit(written[places.offsets[value] + pixel * stride + c], name);
        }
      }
    };
    const auto write = [&](uint32_t value) {
      for_each_place(value, [](uint32_t& at, uint32_t name) { at = name; });
    };
    size_t wrong = 0;
    const auto read = [&](uint32_t value) {
      if (header.values[value].storage != Storage::computed) return;
      for_each_place(value, [&](uint32_t& at, uint32_t name) { wrong += at != name ? 1 : 0; });
    };
    for (const uint32_t input : header.inputs) write(input);
    for (const Stage& stage : stages) {
      for (const uint32_t input : stage.inputs) {
        read(input);
        over += !all_parts[stage.output] && header.values[input].storage == Storage::computed &&
                places.offsets[input] == places.offsets[stage.output];
      }
      write(stage.output);
      parts += all_parts[stage.output].has_value();
    }
    for (const uint32_t output : header.outputs) read(output);
    CHECK(wrong == 0);
  }
};

}  // namespace

TEST_CASE("no value is written over while it is needed", "[random]") {
  size_t over = 0, parts = 0;
  test::for_random_networks(100, 8, [&](const Graph& graph, uint64_t seed) {
    nestling::Random random(seed);
    const std::string package =
        nestling::make_package(test::nested_graph(graph, Growth::full, 2, random), "test");
    const Model model = open(package);
    for (const uint32_t k : {1U, 2U}) {
      const Checked checked(model.header(), k);
      over += checked.over;
      parts += checked.parts;
    }
  });
  CHECK(over > 100);
  CHECK(parts > 50);
}

TEST_CASE("a convolution that adds its own input does not write over it") {
  Builder b(3, {nestling::kBatch, 16, 6, 6});
  const auto x = b.conv3x3("first", b.input(), 16);
  const auto y = b.conv3x3("second", x, 16);
  const auto sum = b.node("sum", nestling::kAdd, {y, x});
  const auto z = b.conv3x3("third", sum, 16);
  const Graph graph = b.finish(b.node("end", nestling::kAdd, {z, sum}));
  const std::string package = nestling::make_package(graph, "test");
  Model model = open(package, 3);
  CHECK(Checked(model.header(), 1).over == 0);
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
    const Places places = place_values(model.header(), stages_of(model.header(), false), 1, false);
    CHECK(static_cast<double>(places.floats) <= 1.15 * static_cast<double>(places.least));
  }
}
