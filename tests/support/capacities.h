// Packages against the interpreter, capacity by capacity.
#pragma once

#include <cstdlib>
#include <vector>

#include "runtime/model.h"
#include "support/catch.h"

#include "graph/interpreter.h"
#include "graph/nesting.h"

namespace test {

inline void check_close(const std::vector<float>& found, const std::vector<float>& expected) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i] == Approx(expected[i]).epsilon(1e-4).margin(1e-4));
  }
}

// The outputs at each capacity, as these go down from the largest and come up again.
inline std::vector<std::vector<float>> outputs_down_and_up(nestling::runtime::Model& model,
                                                           const nestling::Tensor& image) {
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
  return all;
}

// Every capacity of a model, which is the package of `nested`, has the interpreter's results.
inline void check_capacities(nestling::runtime::Model& model, const nestling::Graph& nested,
                             const nestling::Tensor& image) {
  const auto nesting = nestling::nesting_of(nested, "test");
  for (int k = 1; k <= nesting.capacities(); ++k) {
    REQUIRE(model.set_capacity(static_cast<uint32_t>(k)).ok());
    std::vector<float> found(model.output_floats());
    REQUIRE(model.run(image.data.data(), found.data()).ok());
    check_close(found,
                nestling::interpret(nestling::descend(nested, nesting, k), image).at(0).data);
  }
}

}  // namespace test
