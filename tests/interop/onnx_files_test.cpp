// The ONNX files that we write, run by ONNX Runtime.

#include "interop/onnxruntime.h"
#include "support/catch.h"
#include "support/test_graphs.h"

#include "graph/interpreter.h"
#include "graph/onnx.h"
#include "graph/zoo.h"

namespace {

void check_against_onnxruntime(const nestling::Graph& graph, const nestling::Tensor& x) {
  INFO(graph.name);
  const std::vector<float> found = test::run_onnxruntime(nestling::export_onnx(graph), x);
  const std::vector<float> expected = nestling::interpret(graph, x).at(0).data;
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i] == Approx(expected[i]).epsilon(1e-4).margin(1e-4));
  }
}

}  // namespace

TEST_CASE("ONNX Runtime runs exported files to the interpreter's results") {
  nestling::Random random(11);
  check_against_onnxruntime(test::residual_network(1), test::random_tensor({2, 3, 8, 8}, random));
  check_against_onnxruntime(test::every_op_network(2), test::random_tensor({2, 3, 8, 8}, random));
  check_against_onnxruntime(test::modern_network(4), test::random_tensor({2, 3, 8, 8}, random));
  const nestling::ZooOptions options{.classes = 7, .multiplier = 0.25};
  for (const std::string& name : nestling::zoo_names()) {
    check_against_onnxruntime(nestling::make_model(name, options),
                              test::random_tensor({1, 3, 32, 32}, random));
  }
}
