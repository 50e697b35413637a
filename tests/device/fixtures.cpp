// Writes what a device is tested with: fixtures FOLDER. For each model MODEL.nest, MODEL.input and
// the interpreter's outputs MODEL.K of each capacity K, as float32.
#include <filesystem>
#include <fmt/format.h>

#include "support/nested_graph.h"
#include "support/rounded_graph.h"
#include "support/test_dataset.h"

#include "base/file.h"
#include "graph/interpreter.h"
#include "graph/zoo.h"
#include "package/package.h"

using namespace nestling;

namespace {

void write(const std::filesystem::path& path, const Tensor& tensor) {
  write_file(path, {reinterpret_cast<const char*>(tensor.data.data()),
                    tensor.data.size() * sizeof(float)});
}

void fixture(const std::filesystem::path& folder, const std::string& name, const Graph& graph,
             Growth growth, const Precision& precision = {}) {
  Random random(5);
  constexpr int kCapacities = 3;
  Graph nested = test::nested_graph(graph, growth, kCapacities, random);
  if (precision.weights == runtime::WeightType::float16) nested = test::rounded_graph(nested);
  Shape shape = nested.value(nested.inputs[0]).shape;
  shape[0] = 1;
  const Tensor input = test::random_tensor(shape, random);
  write_file(folder / (name + ".nest"), make_package(nested, name, precision));
  write(folder / (name + ".input"), input);
  for (int k = 1; k <= kCapacities; ++k) {
    const Graph capacity = descend(nested, nesting_of(nested, name), k);
    write(folder / fmt::format("{}.{}", name, k), interpret(capacity, input).at(0));
  }
}

}  // namespace

int main(int, char** argv) {
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  fixture(folder, "residual", test::residual_network(1), Growth::full);
  fixture(folder, "chain", test::chain_network(2), Growth::causal);
  fixture(folder, "every_op", test::every_op_network(3), Growth::full);
  const ZooOptions zoo{.classes = 10, .channels = 3, .height = 32, .width = 32, .multiplier = 0.5};
  fixture(folder, "small", make_model("small", zoo), Growth::full);
  // One that takes the data set beside it.
  test::write_dataset(folder / "bars", 16, 16);
  fixture(folder, "grey",
          make_model("small", {.classes = 4, .channels = 1, .height = 8, .width = 8}),
          Growth::full);
  fixture(folder, "resnet20", make_model("resnet20", zoo), Growth::causal);
  fixture(folder, "float16", make_model("resnet20", zoo), Growth::full,
          {runtime::WeightType::float16});
  // Mostly layers that are multiplied in float16 where a processor can.
  fixture(folder, "half", make_model("mobilenet_v2", zoo), Growth::causal,
          {runtime::WeightType::float16, runtime::WeightType::float16});
}
