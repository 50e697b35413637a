// A multi-capacity model with random weights, as an application that a scheduler serves.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/model.h"
#include "runtime/schedule.h"
#include "support/catch.h"
#include "support/nested_graph.h"
#include "support/temporary_folder.h"

#include "base/file.h"
#include "graph/zoo.h"
#include "package/package.h"

namespace test {

// A package of three capacities, and goals that ask for the largest.
struct Packaged {
  std::filesystem::path path;
  nestling::runtime::Application goals;
  std::vector<float> input;

  Packaged(const TemporaryFolder& folder, const std::string& name, int64_t extent = 16,
           uint64_t seed = 1)
      : path(folder / (name + ".nest")) {
    nestling::Random random(seed);
    const nestling::Graph graph = nested_graph(
        nestling::make_model("small", {.classes = 4, .height = extent, .width = extent}),
        nestling::Growth::full, 3, random);
    nestling::write_file(path, nestling::make_package(graph, "test"));
    auto opened =
        nestling::runtime::Model::open(path.c_str(), {.threads = 2});  // as hosts have in tests
    REQUIRE(opened.ok());
    nestling::runtime::Model& model = opened.value();
    goals.name = name;
    goals.max_latency_s = 1;
    for (uint32_t k = 1; k <= 3; ++k) {
      REQUIRE(model.set_capacity(k).ok());
      const nestling::runtime::Footprint footprint = model.footprint();
      goals.capacities.push_back(
          {.accuracy = 0.5 + 0.1 * k,
           .latency_s = 1e-4 * k,
           .memory_bytes = footprint.weights_bytes + footprint.activation_bytes});
    }
    for (uint64_t i = 0; i < model.input_floats(); ++i) {
      input.push_back(static_cast<float>(random.normal()));
    }
  }

  uint64_t memory(int capacity) const {
    return goals.capacities[static_cast<size_t>(capacity - 1)].memory_bytes;
  }

  std::vector<float> expected(int capacity) const {
    auto opened = nestling::runtime::Model::open(path.c_str(), {});
    nestling::runtime::Model& model = opened.value();
    std::vector<float> scores(model.output_floats());
    REQUIRE(model.set_capacity(static_cast<uint32_t>(capacity)).ok());
    REQUIRE(model.run(input.data(), scores.data()).ok());
    return scores;
  }
};

}  // namespace test
